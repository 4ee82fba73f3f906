package delighted

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// phone is the attribute of a person that holds their telephone number: koe
// sends no SMS, and keeps the number for who does.
const phone = "phone_number"

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// phoneNumber reads a telephone number; "" where it is not given.
func (p *params) phoneNumber(name string) string {
	number := p.text(name)
	if number != "" && !e164.MatchString(number) {
		p.problems.Add(name, "format", "must be a number in E.164 such as +14155550123")
	}
	return number
}

// worded are the properties that change what a mail or a page says. A template
// of koe's has a place for them where it declares the attribute as a
// placeholder.
var worded = []string{"question_product_name", "delighted_email_subject", "delighted_intro_message",
	"thank_you_message", "thank_you_link_text", "thank_you_link_url"}

// maxDelay is ten years, in seconds.
const maxDelay = 10 * 366 * 24 * 60 * 60

// personCreated is what POST /people answers.
type personCreated struct {
	ID          string            `json:"id"`
	Email       *string           `json:"email"`
	Name        *string           `json:"name"`
	Phone       *string           `json:"phone_number"`
	ScheduledAt *int64            `json:"survey_scheduled_at"`
	Properties  survey.Attributes `json:"properties"`
}

// CreatePerson keeps what is said of a person and has the survey ask them.
// Whom a rule holds back is not asked, and that is no error.
func CreatePerson(s *Server, r *request) error {
	project, err := s.Store.KeySurvey(r.http().Context(), r.by)
	if err != nil {
		return err
	}
	in, err := s.ask(r, project)
	if err != nil {
		return err
	}
	asked, err := s.Store.AskPerson(r.http().Context(), r.by, in)
	if err != nil {
		return renamed(err, map[string]string{"customer.email": "email", "customer.name": "name", "customer.locale": "properties.locale",
			"attributes": "properties", "attributes.": "properties.", "last_asked_at": "last_sent_at", "email": "email_update"})
	}
	out := personCreated{ID: shown.Digits(asked.Person.ID), Email: shown.OrNull(asked.Person.Email), Properties: in.Attributes,
		Name: r.own(shown.OrNull(asked.Person.Name), in.Customer.Name), Phone: r.own(phoneOf(asked.Person), in.Known[phone].Text())}
	if in.Send && asked.Decided.Verdict == survey.Scheduled {
		out.ScheduledAt = unix(asked.Decided.SendAt)
	}
	status := http.StatusOK
	if asked.Fresh {
		status = http.StatusCreated
	}
	return answer(r, status, out)
}

// ask reads a call of POST /people.
func (s *Server) ask(r *request, project survey.Survey) (store.Ask, error) {
	in := store.Ask{Survey: project.ID, Send: r.flag("send", true), LastAskedAt: r.seconds("last_sent_at"), Known: survey.Attributes{}}
	if delay := r.whole("delay", 0, maxDelay); delay != nil {
		in.Delay = time.Duration(*delay) * time.Second
	}
	address := r.text("email")
	if address == "" {
		r.problems.Add("email", "required", "can't be blank")
	}
	switch channel := r.text("channel"); channel {
	case "", "email":
	case "sms":
		r.problems.Add("channel", "unsupported", "koe sends no SMS; leave it out, or say email")
	default:
		r.problems.Add("channel", "unknown", "must be email")
	}
	for _, name := range []string{"phone_number", "phone_number_update"} {
		if number := r.phoneNumber(name); number != "" {
			in.Known[phone] = survey.TextValue(number)
		}
	}
	in.Email = r.text("email_update")
	in.Attributes = r.attributes("properties")
	in.Customer = survey.Customer{Email: &address, Name: r.text("name"), Locale: in.Attributes["locale"].Text()}
	if err := s.checkWorded(r, project, in.Attributes); err != nil {
		return in, err
	}
	if in.Email != "" && r.by.Role != store.Admin {
		return in, survey.Errorf(survey.Forbidden, "", "email_update needs a key of the role admin; this key is %s", r.by.Role)
	}
	return in, r.err()
}

// checkWorded refuses a property that changes a wording where the survey's
// template has no place for it: who sends one expects to see it.
func (s *Server) checkWorded(r *request, project survey.Survey, properties survey.Attributes) error {
	for _, name := range worded {
		if properties[name].Text() == "" {
			continue
		}
		template, err := s.template(r, project.Template, project.TemplateVersion)
		if err != nil {
			return err
		}
		if _, declared := template.Placeholders["attributes."+name]; !declared {
			r.problems.Add("properties."+name, "unsupported",
				"the template %q has no place for it: write {{attributes.%s}} there and declare it under placeholders", template.Key, name)
		}
	}
	return nil
}

func phoneOf(p survey.Person) *string { return shown.OrNull(p.Attributes[phone].Text()) }

// personListed is a person in a list.
type personListed struct {
	ID          string  `json:"id"`
	Email       *string `json:"email"`
	Name        *string `json:"name"`
	CreatedAt   int64   `json:"created_at"`
	Phone       *string `json:"phone_number"`
	LastSentAt  *int64  `json:"last_sent_at"`
	RespondedAt *int64  `json:"last_responded_at"`
	NextAt      *int64  `json:"next_survey_scheduled_at"`
}

// ListPeople lists people in the order in which koe heard of them. Those whose
// address is suppressed are in lists of their own, and here where they are
// asked for by name.
func ListPeople(s *Server, r *request) error {
	f := store.PersonFilter{Email: r.text("email"), OldestFirst: true}
	number := r.phoneNumber("phone_number")
	if number != "" {
		f.Attributes = map[string]string{phone: number}
	}
	if number != "" && f.Email != "" {
		r.problems.Add("phone_number", "conflict", "cannot be given together with email")
	}
	f.From, f.To = r.span("since", "until")
	f.Reachable = f.Email == "" && number == ""
	page := r.page()
	if err := r.err(); err != nil {
		return err
	}
	people, next, err := s.Store.People(r.http().Context(), r.by, f, page)
	if err != nil {
		return renamed(err, map[string]string{"cursor": "page_info"})
	}
	out, err := s.listed(r, people)
	if err != nil {
		return err
	}
	s.next(r, next)
	return answer(r, http.StatusOK, out)
}

func (s *Server) listed(r *request, people []survey.Person) ([]personListed, error) {
	standings, err := s.Store.Standings(r.http().Context(), r.by, people)
	out := make([]personListed, len(people))
	for i, p := range people {
		at := standings[p.ID]
		out[i] = personListed{ID: shown.Digits(p.ID), Email: shown.OrNull(p.Email), Name: shown.OrNull(p.Name), CreatedAt: seconds(p.CreatedAt), Phone: phoneOf(p),
			LastSentAt: unix(at.LastAskedAt), RespondedAt: unix(at.LastRespondedAt), NextAt: unix(at.NextAt)}
	}
	return out, err
}

// ShowPerson shows the person whom a path names, as a list does.
func ShowPerson(s *Server, r *request) error {
	who, err := s.named(r, r.part("person"))
	if err != nil {
		return err
	}
	known, _, err := s.Store.Person(r.http().Context(), r.by, who[0].String())
	if err != nil {
		return err
	}
	out, err := s.listed(r, []survey.Person{known})
	if err != nil {
		return err
	}
	return answer(r, http.StatusOK, out[0])
}

// DeletePerson erases a person, named by id, email:ADDRESS or
// phone_number:NUMBER; everybody who has that address or number.
func DeletePerson(s *Server, r *request) error {
	ctx, name := r.http().Context(), r.part("person")
	if id, ok := parseDigits(name); ok {
		if err := s.Store.ErasePerson(ctx, r.by, id.String()); err != nil {
			return err
		}
		return answer(r, http.StatusAccepted, done)
	}
	for first := true; ; first = false {
		people, err := s.named(r, name)
		if !first && isKind(err, survey.NotFound) { // none is left
			return answer(r, http.StatusAccepted, done)
		}
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := s.Store.ErasePerson(ctx, r.by, p.String()); err != nil && !isKind(err, survey.NotFound) { // another call was first
				return err
			}
		}
	}
}

// errNobody says that nobody is meant by a name.
func errNobody() error { return survey.Errorf(survey.NotFound, "", "there is no such person") }

// named finds whom a path means: of many who share an address or a number as
// many as a page holds. NotFound where it is nobody.
func (s *Server) named(r *request, name string) ([]survey.ID, error) {
	ids, _, err := s.namedFrom(r, name, "")
	return ids, err
}

// namedFrom is named from where an earlier page ended, and says where this one
// does; "" at the end.
func (s *Server) namedFrom(r *request, name, cursor string) (ids []survey.ID, next string, err error) {
	f := store.PersonFilter{OldestFirst: true}
	kind, value, _ := strings.Cut(name, ":")
	switch kind {
	case "email":
		if _, err := survey.NormalizeAddress(value); err != nil {
			return nil, "", errNobody()
		}
		f.Email = value
	case "phone_number":
		f.Attributes = map[string]string{phone: value}
	default:
		id, ok := parseDigits(name)
		if !ok {
			return nil, "", errNobody()
		}
		return []survey.ID{id}, "", nil
	}
	people, next, err := s.Store.People(r.http().Context(), r.by, f, store.Page{Limit: mostPage, Cursor: cursor})
	if err == nil && len(people) == 0 {
		err = errNobody()
	}
	ids = make([]survey.ID, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	return ids, next, err
}

// part is a part of the path, decoded.
func (r *request) part(name string) string {
	text, err := url.PathUnescape(r.Param(name))
	if err != nil {
		return ""
	}
	return text
}

// DeletePending calls off what a person was to be sent.
func DeletePending(s *Server, r *request) error {
	if _, err := s.Store.CancelPending(r.http().Context(), r.by, r.part("person")); err != nil {
		return err
	}
	return answer(r, http.StatusOK, done)
}

// Unsubscribe sees to it that an address is never asked again, whether or not
// koe knows whose it is.
func Unsubscribe(s *Server, r *request) error {
	address := r.text("person_email")
	if address == "" {
		r.problems.Add("person_email", "required", "can't be blank")
	}
	if err := r.err(); err != nil {
		return err
	}
	_, fresh, err := s.Store.Suppress(r.http().Context(), r.by, address, survey.Unsubscribed)
	if err != nil {
		return renamed(err, map[string]string{"email": "person_email"})
	}
	if !fresh {
		return answer(r, http.StatusOK, done)
	}
	return answer(r, http.StatusCreated, done)
}

// suppressed is an address that is never asked, with what became of it when.
type suppressed struct {
	Person *string `json:"person_id"`
	Email  string  `json:"email"`
	Name   *string `json:"name"`
}

type unsubscribed struct {
	suppressed
	At int64 `json:"unsubscribed_at"`
}

type bounced struct {
	suppressed
	At int64 `json:"bounced_at"`
}

// ListUnsubscribes lists who is never asked for any other reason than a bounce.
func ListUnsubscribes(s *Server, r *request) error {
	return listSuppressed(s, r, []survey.SuppressionReason{survey.Unsubscribed, survey.Complained, survey.ByHand},
		func(who suppressed, at int64) unsubscribed { return unsubscribed{who, at} })
}

// ListBounces lists whose address does not exist any more.
func ListBounces(s *Server, r *request) error {
	return listSuppressed(s, r, []survey.SuppressionReason{survey.Bounced}, func(who suppressed, at int64) bounced { return bounced{who, at} })
}

func listSuppressed[T any](s *Server, r *request, reasons []survey.SuppressionReason, entry func(suppressed, int64) T) error {
	f := store.SuppressedFilter{Reasons: slices.Clone(reasons)}
	f.From, f.To = r.span("since", "until")
	leaf := r.leaf()
	if err := r.err(); err != nil {
		return err
	}
	list, err := s.Store.SuppressedLeaf(r.http().Context(), r.by, f, leaf)
	if err != nil {
		return err
	}
	out := make([]T, len(list))
	for i, one := range list {
		who := suppressed{Email: one.Email}
		if one.Person != nil {
			who.Person, who.Name = new(shown.Digits(one.Person.ID)), shown.OrNull(one.Person.Name)
		}
		out[i] = entry(who, seconds(one.CreatedAt))
	}
	return answer(r, http.StatusOK, out)
}
