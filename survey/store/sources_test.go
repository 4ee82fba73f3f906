package store_test

import (
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/source"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// A source's database tells neither the tool's secret nor the address, and of
// what was posted nothing but the interaction; once the person is erased, that
// neither.
func TestSourcesKeepNothingOfWhatCame(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		secret := "qqsecret-of-the-tool"
		made, fresh, err := s.PutSource(ctx, by, source.Source{Key: "desk", Preset: "zendesk", Touchpoint: "ticket"}, &secret)
		ok(t, err)
		door, err := s.SourceDoor(ctx, store.Caller{}, made.Address)
		ok(t, err)
		if !fresh || door.Secret != secret || !door.Address || door.Caller.Workspace != by.Workspace || door.Key != "desk" {
			t.Fatalf("%+v", door)
		}
		again, fresh, err := s.PutSource(ctx, by, made.Source, nil)
		ok(t, err)
		if door, err = s.SourceDoor(ctx, store.Caller{}, "desk"); err != nil || fresh || again.Address != made.Address || door.Secret != secret || door.Address {
			t.Fatalf("%+v %v", door, err)
		}
		events, list, err := door.Read([]byte(`[{"ticket":{"id":"qqevent","status":"solved","priority":"qqattribute","requester":{"email":"qqmail@qqdomain.example","name":"qqname"}}},
			{"ticket":{"id":"2","status":"qqstatus"}},{"ticket":{"id":"3","status":"solved","requester":{"email":"qqnobody"}}},{"ticket":{"id":"4","status":"solved"}}]`), survey.Instant(0))
		if ok(t, err); !list || len(events) != 4 {
			t.Fatal(events)
		}
		outcomes, err := s.TakeFromSource(ctx, door, events)
		ok(t, err)
		ok(t, s.NoteUnproven(ctx, door))
		deliveries, _, err := s.SourceDeliveries(ctx, by, "desk", store.Page{Limit: 10})
		ok(t, err)
		counts := map[string]int{}
		for _, d := range deliveries {
			counts[d.Outcome]++
		}
		if len(counts) != 4 || counts[store.SourceRecorded] != 2 || counts[store.SourceIgnored] != 1 || counts[store.SourceRefused] != 1 || counts[store.SourceUnproven] != 1 {
			t.Errorf("%v", counts)
		}
		verified(t, s)

		held := everything(t, url)
		marks := []string{"qqevent", "qqattribute", "qqmail", "qqdomain", "qqname"}
		for _, mark := range marks {
			if !strings.Contains(held, mark) {
				t.Fatalf("%s is nowhere: this test could not fail", mark)
			}
		}
		ok(t, s.ErasePerson(ctx, by, outcomes[0].Person.String()))
		held = everything(t, url)
		for _, mark := range append(marks, secret, made.Address, "qqstatus", "qqnobody") {
			if at := strings.Index(held, mark); at >= 0 {
				t.Errorf("a trace of %s: …%q…", mark, held[max(0, at-100):min(len(held), at+100)])
			}
		}
		verified(t, s)

		_, err = raw(t, url).Exec(`DELETE FROM interactions`)
		ok(t, err)
		if checked, err := s.Verify(ctx); err != nil || len(checked.Faults) != 1 || !strings.Contains(checked.Faults[0], "a source recorded") {
			t.Errorf("%v %v", checked.Faults, err)
		}
	})
}
