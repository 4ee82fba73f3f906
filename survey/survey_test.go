package survey

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// at reads an instant of a test's own making.
func at(s string) Instant {
	i, err := ParseInstant(s)
	if err != nil {
		panic(s + " " + err.Error())
	}
	return i
}

// day reads a date of a test's own making.
func day(s string) Day {
	d, err := ParseDay(s)
	if err != nil {
		panic(s + " " + err.Error())
	}
	return d
}

func pointer[T any](v T) *T { return &v }

// codesOf are the problems of an error, "field code" each, sorted.
func codesOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return []string{}
	}
	var known *Error
	if !errors.As(err, &known) || known.Kind != Invalid || len(known.Fields) == 0 {
		t.Fatalf("got %#v, want an invalid error with fields", err)
	}
	codes := make([]string, 0, len(known.Fields))
	for _, f := range known.Fields {
		if f.Message == "" {
			t.Errorf("%s says nothing", f.Field)
		}
		codes = append(codes, f.Field+" "+f.Code)
	}
	slices.Sort(codes)
	return codes
}

// wantCodes compares an error's problems with those that a test names.
func wantCodes(t *testing.T, err error, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), codesOf(t, err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// chatSurvey is a survey that Clean accepts and has filled.
func chatSurvey(t *testing.T) Survey {
	t.Helper()
	s := Survey{ID: ID{15: 1}, Name: "After support chat", Template: "nps", Touchpoint: "support_chat",
		Channel: Email, Trigger: Trigger{Type: OnInteraction}, State: Active}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSurveyDefaults(t *testing.T) {
	s := Survey{Name: " After chat ", Template: "nps", Touchpoint: "chat", Channel: Email, Trigger: Trigger{Type: OnInteraction}}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	want := Survey{Name: "After chat", Template: "nps", Touchpoint: "chat", Channel: Email,
		Trigger: Trigger{Type: OnInteraction, Delay: "0s"}, Segments: []string{},
		Rules: Rules{Sample: pointer(1.0), MaxAge: "7d", ExpiresAfter: "30d", EditableFor: "24h"}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	manual := Survey{Name: "n", Template: "nps", Touchpoint: "chat", Channel: LinkOnly, Trigger: Trigger{Type: OnManual}}
	if err := manual.Clean(); err != nil || manual.Trigger.Delay != "" {
		t.Errorf("a manual survey: %v, delay %q", err, manual.Trigger.Delay)
	}
}

func TestSurveyKeepsWhatIsSet(t *testing.T) {
	s := chatSurvey(t)
	s.Key = "after-chat"
	s.Trigger.Delay = "2h"
	s.Rules = Rules{QuietPeriod: "10d", QuietScope: QuietSurvey, Sample: pointer(0.25), DailyLimit: pointer(500), MaxAge: "1d",
		Condition:  Condition{"attributes.plan": {TextValue("pro"), TextValue("team")}},
		SendWindow: &Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2, 3, 4, 5}, Timezone: RecipientZone},
		Reminders:  []Duration{"3d", "7d"}, ExpiresAfter: "14d", EditableFor: "1h"}
	s.Segments = []string{"agent", "plan"}
	want := s
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(Value{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSurveyWindowZone(t *testing.T) {
	s := chatSurvey(t)
	s.Rules.SendWindow = &Window{From: "09:00", To: "18:00"}
	if err := s.Clean(); err != nil || s.Rules.SendWindow.Timezone != RecipientZone {
		t.Errorf("%v, zone %q", err, s.Rules.SendWindow.Timezone)
	}
}

func TestSurveySegmentsAreComposed(t *testing.T) {
	s := chatSurvey(t)
	s.Segments = []string{"か\u3099く", "नाम"}
	s.Rules.Condition = Condition{"attributes.\u1112\u1161\u11ab": {TextValue("か\u3099")}}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	want := Condition{"attributes.한": {TextValue("が")}}
	if diff := cmp.Diff(want, s.Rules.Condition, cmp.AllowUnexported(Value{})); diff != "" || s.Segments[0] != "がく" {
		t.Errorf("segments %q, condition (-want +got):\n%s", s.Segments, diff)
	}
}

func TestSurveyProblems(t *testing.T) {
	window := func(w Window) func(*Survey) { return func(s *Survey) { s.Rules.SendWindow = &w } }
	schedule := func(change func(*Trigger, *Survey)) func(*Survey) {
		return func(s *Survey) {
			s.Channel, s.Trigger = Email, Trigger{Type: OnSchedule}
			change(&s.Trigger, s)
		}
	}
	sample := func(n float64) func(*Survey) { return func(s *Survey) { s.Rules.Sample = &n } }
	limit := func(n int) func(*Survey) { return func(s *Survey) { s.Rules.DailyLimit = &n } }
	reminders := func(after Duration, reminders ...Duration) func(*Survey) {
		return func(s *Survey) { s.Rules.ExpiresAfter, s.Rules.Reminders = after, reminders }
	}
	segments := func(names ...string) func(*Survey) { return func(s *Survey) { s.Segments = names } }
	condition := func(name string, values ...Value) func(*Survey) {
		return func(s *Survey) { s.Rules.Condition = Condition{name: values} }
	}
	for name, test := range map[string]struct {
		spoil func(*Survey)
		want  []string
	}{
		"key":                   {func(s *Survey) { s.Key = "After Chat" }, []string{"key format"}},
		"key like an id":        {func(s *Survey) { s.Key = "0190163d-8694-739b-aea5-966c26f8ad91" }, []string{"key format"}},
		"name missing":          {func(s *Survey) { s.Name = " \t " }, []string{"name required"}},
		"name long":             {func(s *Survey) { s.Name = strings.Repeat("長", 201) }, []string{"name too_long"}},
		"name of two lines":     {func(s *Survey) { s.Name = "a\nb" }, []string{"name format"}},
		"template missing":      {func(s *Survey) { s.Template = "" }, []string{"template required"}},
		"template":              {func(s *Survey) { s.Template = "n\x00ps" }, []string{"template format"}},
		"touchpoint missing":    {func(s *Survey) { s.Touchpoint = " " }, []string{"touchpoint required"}},
		"touchpoint":            {func(s *Survey) { s.Touchpoint = "Support Chat" }, []string{"touchpoint format"}},
		"channel":               {func(s *Survey) { s.Channel = "sms" }, []string{"channel unknown"}},
		"channel missing":       {func(s *Survey) { s.Channel = "" }, []string{"channel unknown"}},
		"trigger missing":       {func(s *Survey) { s.Trigger = Trigger{} }, []string{"trigger.type required"}},
		"trigger":               {func(s *Survey) { s.Trigger.Type = "moon" }, []string{"trigger.type unknown"}},
		"schedule of links":     {schedule(func(t *Trigger, s *Survey) { s.Channel = LinkOnly }), []string{"channel unsupported"}},
		"follow-on of links":    {func(s *Survey) { s.Channel, s.Trigger = LinkOnly, Trigger{Type: OnResponse, Survey: "a"} }, []string{"channel unsupported"}},
		"schedule with delay":   {schedule(func(t *Trigger, _ *Survey) { t.Delay = "2h" }), []string{"trigger.delay unknown"}},
		"cron minute 61":        {schedule(func(t *Trigger, _ *Survey) { t.Cron = "61 * * * *" }), []string{"trigger.cron format"}},
		"cron never":            {schedule(func(t *Trigger, _ *Survey) { t.Cron = "0 0 30 2 *" }), []string{"trigger.cron format"}},
		"cron of six fields":    {schedule(func(t *Trigger, _ *Survey) { t.Cron = "0 0 9 * * 1" }), []string{"trigger.cron format"}},
		"cron with a zone":      {schedule(func(t *Trigger, _ *Survey) { t.Cron = "TZ=UTC 0 9 * * *" }), []string{"trigger.cron format"}},
		"cron is a zone":        {schedule(func(t *Trigger, _ *Survey) { t.Cron = "CRON_TZ=UTC" }), []string{"trigger.cron format"}},
		"cron word":             {schedule(func(t *Trigger, _ *Survey) { t.Cron = "@daily" }), []string{"trigger.cron format"}},
		"schedule in a zone":    {schedule(func(t *Trigger, _ *Survey) { t.Timezone = "Mars/Base" }), []string{"trigger.timezone format"}},
		"audience":              {schedule(func(t *Trigger, _ *Survey) { t.Audience = Condition{"plan": {TextValue("pro")}} }), []string{"trigger.audience unknown"}},
		"every soon":            {schedule(func(t *Trigger, _ *Survey) { t.Every = "30m" }), []string{"trigger.every range"}},
		"every other":           {schedule(func(t *Trigger, _ *Survey) { t.Every = "quarter" }), []string{"trigger.every format"}},
		"cron of interaction":   {func(s *Survey) { s.Trigger.Cron = "0 8 * * *" }, []string{"trigger.cron unknown"}},
		"when of interaction":   {func(s *Survey) { s.Trigger.When = When{"score": {Max: new(6)}} }, []string{"trigger.when unknown"}},
		"survey of interaction": {func(s *Survey) { s.Trigger.Survey = "nps" }, []string{"trigger.survey unknown"}},
		"response to nothing":   {func(s *Survey) { s.Trigger = Trigger{Type: OnResponse} }, []string{"trigger.survey required"}},
		"response when empty":   {func(s *Survey) { s.Trigger = Trigger{Type: OnResponse, Survey: "a", When: When{"score": {}}} }, []string{"trigger.when.score format"}},
		"response when reversed": {func(s *Survey) {
			s.Trigger = Trigger{Type: OnResponse, Survey: "a", When: When{"score": {Min: new(7), Max: new(6)}}}
		}, []string{"trigger.when.score range"}},
		"delay negative":         {func(s *Survey) { s.Trigger.Delay = "-1d" }, []string{"trigger.delay format"}},
		"delay without unit":     {func(s *Survey) { s.Trigger.Delay = "90" }, []string{"trigger.delay format"}},
		"delay of a manual one":  {func(s *Survey) { s.Trigger = Trigger{Type: OnManual, Delay: "2h"} }, []string{"trigger.delay unknown"}},
		"quiet period":           {func(s *Survey) { s.Rules.QuietPeriod = "a month" }, []string{"rules.quiet_period format"}},
		"quiet scope":            {func(s *Survey) { s.Rules.QuietScope = "galaxy" }, []string{"rules.quiet_scope unknown"}},
		"max age":                {func(s *Survey) { s.Rules.MaxAge = "1.5h" }, []string{"rules.max_age format"}},
		"editable for":           {func(s *Survey) { s.Rules.EditableFor = "1y" }, []string{"rules.editable_for format"}},
		"expires after":          {reminders("soon"), []string{"rules.expires_after format"}},
		"expires at once":        {reminders("0s"), []string{"rules.expires_after range"}},
		"sample above 1":         {sample(1.5), []string{"rules.sample range"}},
		"sample below 0":         {sample(-0.1), []string{"rules.sample range"}},
		"sample not a number":    {sample(math.NaN()), []string{"rules.sample range"}},
		"sample infinite":        {sample(math.Inf(1)), []string{"rules.sample range"}},
		"daily limit 0":          {limit(0), []string{"rules.daily_limit range"}},
		"daily limit negative":   {limit(-1), []string{"rules.daily_limit range"}},
		"daily limit huge":       {limit(100_000_001), []string{"rules.daily_limit range"}},
		"reminder at the end":    {reminders("7d", "7d"), []string{"rules.reminders[0] range"}},
		"reminder after the end": {reminders("7d", "1d", "8d"), []string{"rules.reminders[1] range"}},
		"reminder before another": {reminders("30d", "7d", "3d"), []string{
			"rules.reminders[1] range"}},
		"reminder twice":      {reminders("30d", "7d", "1w"), []string{"rules.reminders[1] range"}},
		"reminder at once":    {reminders("30d", "0s"), []string{"rules.reminders[0] range"}},
		"reminder":            {reminders("30d", "later"), []string{"rules.reminders[0] format", "rules.reminders[0] range"}},
		"reminders":           {reminders("30d", "1d", "2d", "3d", "4d"), []string{"rules.reminders too_many"}},
		"window from":         {window(Window{From: "9:00", To: "18:00"}), []string{"rules.send_window.from format"}},
		"window from padded":  {window(Window{From: " 9:00", To: "18:00"}), []string{"rules.send_window.from format"}},
		"window from signed":  {window(Window{From: "+9:00", To: "18:00"}), []string{"rules.send_window.from format"}},
		"window from at 24":   {window(Window{From: "24:00", To: "06:00"}), []string{"rules.send_window.from format"}},
		"window to":           {window(Window{From: "09:00", To: "24:01"}), []string{"rules.send_window.to format"}},
		"window to padded":    {window(Window{From: "09:00", To: "18:0 "}), []string{"rules.send_window.to format"}},
		"window minute":       {window(Window{From: "09:60", To: "18:00"}), []string{"rules.send_window.from format"}},
		"window empty":        {window(Window{}), []string{"rules.send_window.from format", "rules.send_window.to format"}},
		"window never opens":  {window(Window{From: "09:00", To: "09:00"}), []string{"rules.send_window.to range"}},
		"window zone":         {window(Window{From: "09:00", To: "18:00", Timezone: "Mars/Base"}), []string{"rules.send_window.timezone format"}},
		"window zone Local":   {window(Window{From: "09:00", To: "18:00", Timezone: "Local"}), []string{"rules.send_window.timezone format"}},
		"window no weekday":   {window(Window{From: "09:00", To: "18:00", Weekdays: []int{}}), []string{"rules.send_window.weekdays range"}},
		"window weekday 0":    {window(Window{From: "09:00", To: "18:00", Weekdays: []int{0, 1}}), []string{"rules.send_window.weekdays[0] range"}},
		"window weekday 8":    {window(Window{From: "09:00", To: "18:00", Weekdays: []int{1, 8}}), []string{"rules.send_window.weekdays[1] range"}},
		"window day twice":    {window(Window{From: "09:00", To: "18:00", Weekdays: []int{3, 3}}), []string{"rules.send_window.weekdays[1] range"}},
		"segment":             {segments("plan", "a/b"), []string{"segments[1] format"}},
		"segment with prefix": {segments("plan", "attributes.plan", "attributes."), []string{"segments[1] format", "segments[2] format"}},
		"segment empty":       {segments(""), []string{"segments[0] format"}},
		"segment twice":       {segments("plan", "plan"), []string{"segments[1] duplicate"}},
		"segment twice, NFD":  {segments("が", "か\u3099"), []string{"segments[1] duplicate"}},
		"segments":            {segments(strings.Split("abcdefghijk", "")...), []string{"segments too_many"}},
		"condition's name":    {condition("plan", TextValue("pro")), []string{"rules.condition unknown"}},
		"condition's letters": {condition("attributes.a/b", TextValue("pro")), []string{"rules.condition unknown"}},
		"condition no value":  {condition("attributes.plan"), []string{"rules.condition.attributes.plan range"}},
		"condition null":      {condition("attributes.plan", Value{"null"}), []string{"rules.condition.attributes.plan type"}},
		"condition object": {condition("attributes.plan", Value{"{}"}), []string{
			"rules.condition.attributes.plan type", "rules.condition.attributes.plan type"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := chatSurvey(t)
			test.spoil(&s)
			wantCodes(t, s.Clean(), test.want...)
		})
	}
}

func TestSurveyNamesEveryProblem(t *testing.T) {
	s := Survey{Key: "A", Channel: "x", Trigger: Trigger{Type: "y"}}
	wantCodes(t, s.Clean(), "key format", "name required", "template required", "touchpoint required",
		"channel unknown", "trigger.type unknown")
}

func TestWorkspace(t *testing.T) {
	good := func() Workspace {
		w := NewWorkspace("acme", " Acme ", "Asia/Tokyo")
		w.SenderAddress, w.ReplyTo, w.PrivacyURL = " Care@EXAMPLE.com ", "", "https://example.com/privacy?x=1"
		w.DefaultLocale, w.PostalFooter = "ja_jp", "Acme\n1 Way"
		return w
	}
	w := good()
	if err := w.Clean(); err != nil {
		t.Fatal(err)
	}
	want := Workspace{Key: "acme", Name: "Acme", Timezone: "Asia/Tokyo", QuietPeriod: "30d", QuietScope: QuietWorkspace,
		SenderAddress: "care@example.com", PrivacyURL: "https://example.com/privacy?x=1", DefaultLocale: "ja-JP", PostalFooter: "Acme\n1 Way"}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		spoil func(*Workspace)
		want  string
	}{
		"key":            {func(w *Workspace) { w.Key = "-acme" }, "key format"},
		"name":           {func(w *Workspace) { w.Name = "" }, "name required"},
		"zone":           {func(w *Workspace) { w.Timezone = "Tokyo" }, "timezone format"},
		"no zone":        {func(w *Workspace) { w.Timezone = "" }, "timezone format"},
		"period":         {func(w *Workspace) { w.QuietPeriod = "" }, "quiet_period format"},
		"scope":          {func(w *Workspace) { w.QuietScope = "" }, "quiet_scope unknown"},
		"sender name":    {func(w *Workspace) { w.SenderName = "Acme\r\nBcc: all@example.com" }, "sender_name format"},
		"sender name, 2": {func(w *Workspace) { w.SenderName = "Acme\u2028Bcc" }, "sender_name format"},
		"sender":         {func(w *Workspace) { w.SenderAddress = "Acme <a@example.com>" }, "sender_address format"},
		"reply to":       {func(w *Workspace) { w.ReplyTo = "a@example.com\nBcc: b@example.com" }, "reply_to format"},
		"footer":         {func(w *Workspace) { w.PostalFooter = strings.Repeat("x", 501) }, "postal_footer too_long"},
		"link":           {func(w *Workspace) { w.PrivacyURL = "javascript:alert(1)" }, "privacy_url format"},
		"locale":         {func(w *Workspace) { w.DefaultLocale = "" }, "default_locale format"},
	} {
		t.Run(name, func(t *testing.T) {
			w := good()
			test.spoil(&w)
			wantCodes(t, w.Clean(), test.want)
		})
	}
}

func TestInteraction(t *testing.T) {
	now := at("2026-11-22T09:00:00Z")
	in := Interaction{Touchpoint: "chat", ExternalID: " chat-8841 ",
		Customer: Customer{ExternalID: "c-17", Email: pointer(" Ana@Example.COM"), Name: " Ana ", Locale: "pt_br", Timezone: "Asia/Tokyo"}}
	if err := in.Clean(now); err != nil {
		t.Fatal(err)
	}
	want := Interaction{Touchpoint: "chat", ExternalID: "chat-8841", Attributes: Attributes{}, OccurredAt: now,
		Customer: Customer{ExternalID: "c-17", Email: pointer("ana@example.com"), Name: "Ana", Locale: "pt-BR", Timezone: "Asia/Tokyo"}}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		in   Interaction
		want string
	}{
		"no touchpoint": {Interaction{}, "touchpoint required"},
		"touchpoint":    {Interaction{Touchpoint: "Chat"}, "touchpoint format"},
		"external id":   {Interaction{Touchpoint: "chat", ExternalID: strings.Repeat("x", 256)}, "external_id too_long"},
		"empty address": {Interaction{Touchpoint: "chat", Customer: Customer{Email: pointer("")}}, "customer.email format"},
		"address":       {Interaction{Touchpoint: "chat", Customer: Customer{Email: pointer("ana")}}, "customer.email format"},
		"customer":      {Interaction{Touchpoint: "chat", Customer: Customer{ExternalID: "a\nb"}}, "customer.external_id format"},
		"name":          {Interaction{Touchpoint: "chat", Customer: Customer{Name: "a\x7f"}}, "customer.name format"},
		"locale":        {Interaction{Touchpoint: "chat", Customer: Customer{Locale: "klingonish-language"}}, "customer.locale format"},
		"zone":          {Interaction{Touchpoint: "chat", Customer: Customer{Timezone: "JST-9"}}, "customer.timezone format"},
		"ahead":         {Interaction{Touchpoint: "chat", OccurredAt: now.Add(maxAhead) + 1}, "occurred_at range"},
	} {
		t.Run(name, func(t *testing.T) { wantCodes(t, test.in.Clean(now), test.want) })
	}
	edge := Interaction{Touchpoint: "chat", OccurredAt: now.Add(maxAhead)}
	wantCodes(t, edge.Clean(now))
}

func TestCustomerKnown(t *testing.T) {
	if (Customer{Name: "Ana", Locale: "en"}).Known() || !(Customer{ExternalID: "c-17"}).Known() || !(Customer{Email: pointer("a@b.c")}).Known() {
		t.Error("known is who has an external id or an address")
	}
}

func TestProblems(t *testing.T) {
	var p Problems
	if p.Err() != nil {
		t.Error("no problem is an error")
	}
	for range maxProblems + 5 {
		p.Add("f", "c", "m")
	}
	var outer Problems
	outer.Merge("items[3].", p.Err())
	var known *Error
	if !errors.As(outer.Err(), &known) || len(known.Fields) != maxProblems || known.Fields[0].Field != "items[3].f" {
		t.Errorf("%v", known)
	}
	single := Errorf(Invalid, "cursor", "is of another %s", "list")
	if got := single.Error(); got != "cursor: is of another list" {
		t.Errorf("%q", got)
	}
}
