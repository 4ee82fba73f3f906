package store_test

import (
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestNotes(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, theirs := storetest.Default(t, s), storetest.Other(t, s, "other")
		for _, key := range []string{"chat", "desk"} {
			_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: key})
			ok(t, err)
		}
		day := func(text string) survey.Day {
			d, err := survey.ParseDay(text)
			ok(t, err)
			return d
		}
		note := func(on, text, at string) survey.Note {
			n, err := s.CreateNote(ctx, by, survey.Note{Day: day(on), Text: text, Touchpoint: at})
			ok(t, err)
			return n
		}
		everywhere := note("2026-03-01", " 料金改定 ", "")
		chat := note("2026-03-12", "New <b>chat</b>", "chat")
		desk := note("2026-03-12", "Desk moved", "desk")
		if everywhere.Text != "料金改定" || everywhere.CreatedAt != clock.Instant() {
			t.Errorf("made %+v", everywhere)
		}
		shown, err := s.Note(ctx, by, chat.ID)
		ok(t, err)
		if shown != chat {
			t.Errorf("shown %+v, made %+v", shown, chat)
		}

		listed := func(f store.NoteFilter, limit int) (ids []survey.ID) {
			page := store.Page{Limit: limit}
			for {
				list, next, err := s.Notes(ctx, by, f, page)
				ok(t, err)
				for _, n := range list {
					ids = append(ids, n.ID)
				}
				if page.Cursor = next; next == "" {
					return ids
				}
			}
		}
		same := func(what string, got []survey.ID, want ...survey.Note) {
			t.Helper()
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i].ID {
					t.Fatalf("%s: %v, want %+v", what, got, want)
				}
			}
		}
		same("all", listed(store.NoteFilter{}, 1), desk, chat, everywhere)
		same("of a touchpoint", listed(store.NoteFilter{Touchpoint: "chat"}, 10), chat, everywhere)
		from, to := day("2026-03-02"), day("2026-03-12")
		same("from", listed(store.NoteFilter{From: &from}, 10), desk, chat)
		same("to", listed(store.NoteFilter{To: &to}, 10), everywhere)

		clock.Advance(1e9)
		changed, err := s.ChangeNote(ctx, by, chat.ID, func(n *survey.Note) error {
			n.Day, n.Touchpoint = day("2026-02-01"), ""
			return nil
		})
		ok(t, err)
		if changed.Day != day("2026-02-01") || changed.Touchpoint != "" || changed.UpdatedAt != clock.Instant() || changed.CreatedAt != chat.CreatedAt {
			t.Errorf("changed %+v", changed)
		}
		same("after a change", listed(store.NoteFilter{}, 10), desk, everywhere, changed)

		// a touchpoint takes its notes along
		ok(t, s.DeleteTouchpoint(ctx, by, "desk", 0))
		same("without the touchpoint", listed(store.NoteFilter{}, 10), everywhere, changed)

		for name, foreign := range map[string]func() error{
			"show": func() error { _, err := s.Note(ctx, theirs, chat.ID); return err },
			"change": func() error {
				_, err := s.ChangeNote(ctx, theirs, chat.ID, func(*survey.Note) error { return nil })
				return err
			},
			"delete": func() error { return s.DeleteNote(ctx, theirs, chat.ID) },
			"again":  func() error { return s.DeleteNote(ctx, by, desk.ID) },
		} {
			t.Run(name, func(t *testing.T) { refused(t, foreign(), survey.NotFound, "") })
		}
		if list, _, err := s.Notes(ctx, theirs, store.NoteFilter{}, store.Page{Limit: 1}); err != nil || len(list) != 0 {
			t.Errorf("another workspace lists %+v, %v", list, err)
		}
		// a member who is limited to a touchpoint
		limited := by
		limited.Scope = store.Scope{Touchpoints: []string{"shop"}}
		same("of a limited member", func() (ids []survey.ID) {
			list, _, err := s.Notes(ctx, limited, store.NoteFilter{}, store.Page{Limit: 10})
			ok(t, err)
			for _, n := range list {
				ids = append(ids, n.ID)
			}
			return ids
		}(), everywhere, changed)
		hidden := note("2026-03-20", "Hidden", "chat")
		_, err = s.Note(ctx, limited, hidden.ID)
		refused(t, err, survey.NotFound, "")
		refused(t, s.DeleteNote(ctx, limited, hidden.ID), survey.NotFound, "")
		refused(t, s.DeleteNote(ctx, limited, everywhere.ID), survey.Forbidden, "")
		_, err = s.CreateNote(ctx, limited, survey.Note{Text: "x"})
		refused(t, err, survey.Forbidden, "")
		_, err = s.CreateNote(ctx, limited, survey.Note{Text: "x", Touchpoint: "chat"})
		refused(t, err, survey.Invalid, "touchpoint")
		limited.Scope.Touchpoints = []string{"chat"}
		if shown, err := s.Note(ctx, limited, hidden.ID); err != nil || shown != hidden {
			t.Errorf("their own: %+v, %v", shown, err)
		}
		if list, _, err := s.Notes(ctx, limited, store.NoteFilter{}, store.Page{Limit: 10}); err != nil || len(list) != 3 {
			t.Errorf("their own: %+v, %v", list, err)
		}
		ok(t, s.DeleteNote(ctx, limited, hidden.ID))

		ok(t, s.DeleteNote(ctx, by, changed.ID))
		same("at the end", listed(store.NoteFilter{}, 10), everywhere)

		_, err = s.CreateNote(ctx, by, survey.Note{Text: " "})
		refused(t, err, survey.Invalid, "text")
		_, err = s.CreateNote(ctx, by, survey.Note{Text: "two\nlines"})
		refused(t, err, survey.Invalid, "text")
		_, err = s.CreateNote(ctx, by, survey.Note{Text: "x", Touchpoint: "nowhere"})
		refused(t, err, survey.Invalid, "touchpoint")
		_, _, err = s.Notes(ctx, by, store.NoteFilter{Touchpoint: "nowhere"}, store.Page{Limit: 1})
		refused(t, err, survey.Invalid, "touchpoint")
		_, err = s.ChangeNote(ctx, by, everywhere.ID, func(n *survey.Note) error { n.Touchpoint = "Not A Key"; return nil })
		refused(t, err, survey.Invalid, "touchpoint")
	}, clock.Use)
}
