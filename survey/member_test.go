package survey

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func aMember() Member {
	return Member{Email: " Ana@Example.com ", Role: Viewer, Timezone: "Asia/Tokyo"}
}

func TestMembersAreCompleted(t *testing.T) {
	m := aMember()
	m.Segment = &Segment{Key: "agent", Values: []string{"Kim", " 佐藤 "}}
	if err := m.Clean(); err != nil {
		t.Fatal(err)
	}
	want := Member{Email: "ana@example.com", Name: "ana", Role: Viewer, Locale: "en", Timezone: "Asia/Tokyo", Touchpoints: []string{},
		Segment: &Segment{Key: "agent", Values: []string{"Kim", "佐藤"}}, Digest: DigestNone}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

func TestMembersAreRefusedByField(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Member)
		field  string
	}{
		"no address":               {func(m *Member) { m.Email, m.Name = " ", "Ana" }, "email"},
		"neither name nor address": {func(m *Member) { m.ID, m.Email = ID{1}, "" }, "name"},
		"two addresses":            {func(m *Member) { m.Email = "a@example.com, b@example.com" }, "email"},
		"a line end":               {func(m *Member) { m.Name = "Ana\nBcc: x" }, "name"},
		"no role":                  {func(m *Member) { m.Role = "" }, "role"},
		"a program's role":         {func(m *Member) { m.Role = Sender }, "role"},
		"another role":             {func(m *Member) { m.Role = "owner" }, "role"},
		"another language":         {func(m *Member) { m.Locale = "fr" }, "locale"},
		"another zone":             {func(m *Member) { m.Timezone = "Mars" }, "timezone"},
		"another rhythm":           {func(m *Member) { m.Digest = "hourly" }, "digest"},
		"no key":                   {func(m *Member) { m.Touchpoints = []string{"Chat!"} }, "touchpoints[0]"},
		"twice":                    {func(m *Member) { m.Touchpoints = []string{"chat", "chat"} }, "touchpoints[1]"},
		"a limited admin":          {func(m *Member) { m.Role, m.Touchpoints = Admin, []string{"chat"} }, "touchpoints"},
		"an admin of a segment":    {func(m *Member) { m.Role, m.Segment = Admin, &Segment{"agent", []string{"Kim"}} }, "segment"},
		"prefix":                   {func(m *Member) { m.Segment = &Segment{"attributes.agent", []string{"Kim"}} }, "segment.key"},
		"no attribute":             {func(m *Member) { m.Segment = &Segment{"", []string{"Kim"}} }, "segment.key"},
		"no value":                 {func(m *Member) { m.Segment = &Segment{"agent", nil} }, "segment.values"},
		"an empty value":           {func(m *Member) { m.Segment = &Segment{"agent", []string{" "}} }, "segment.values[0]"},
		"a value twice":            {func(m *Member) { m.Segment = &Segment{"agent", []string{"Kim", "Kim "}} }, "segment.values[1]"},
		"a long value":             {func(m *Member) { m.Segment = &Segment{"agent", []string{strings.Repeat("x", 1001)}} }, "segment.values[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			m := aMember()
			c.change(&m)
			var known *Error
			if err := m.Clean(); !errors.As(err, &known) || len(known.Fields) != 1 || known.Fields[0].Field != c.field {
				t.Errorf("%v", err)
			}
		})
	}
}
