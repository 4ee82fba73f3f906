package store_test

import (
	"fmt"
	"testing"

	"koe/survey/store"
	"koe/survey/store/storetest"
)

// A newer koe changes columns while this one runs: what each of its connections
// has prepared fits no more, and nobody who writes hears of it.
func TestWritingGoesOnWhereAllThatIsPreparedIsStale(t *testing.T) {
	url := storetest.Postgres(t)
	s := storetest.Open(t, url, func(o *store.Options) { o.MaxConns = 2 })
	by := storetest.Default(t, s)
	mustSurvey(t, s, by, "chat", byLink)
	writing := func(round int) { // people who are asked, answer, and are erased
		t.Helper()
		for i, err := range atOnce(4, func(i int) error {
			in := chat(fmt.Sprintf("p%d-%d@example.com", round, i))
			r, err := s.RecordInteraction(ctx, by, in)
			if err != nil {
				return err
			}
			if _, err := s.Answer(ctx, r.Decisions[0].Token, storetest.Says(store.Reply{Score: pointer(i), Complete: true})); err != nil {
				return err
			}
			return s.ErasePerson(ctx, by, r.Person.String())
		}) {
			if err != nil {
				t.Errorf("round %d, %d: %v", round, i, err)
			}
		}
	}
	writing(1)
	writing(2) // each connection knows all
	db := raw(t, url)
	for _, column := range texts(t, db, `SELECT format('ALTER TABLE %I ALTER COLUMN %I TYPE varchar', table_name, column_name)
		FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'
		AND table_name <> 'goose_db_version'`) {
		if _, err := db.Exec(column); err != nil {
			t.Log(err) // what a condition of an index needs stays as it is
		}
	}
	writing(3)
}
