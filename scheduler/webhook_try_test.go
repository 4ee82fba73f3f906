package scheduler_test

import (
	"testing"
	"time"

	"koe/survey"
)

// A test is tried once: whoever asked for it waits for what becomes of it. One
// that fails is no reason to pause the webhook, days later.
func TestATestIsTriedOnce(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		h := d.subscribe(listening(d.t, "slowly mended", turning(2, status(500), status(200))))
		v := d.ask("chat", nil)
		d.run(delivering)
		test := func(want string, code, tries int) {
			d.t.Helper()
			made, err := d.store.TestWebhook(d.t.Context(), d.by, h.webhook.ID)
			if err != nil {
				d.t.Fatal(err)
			}
			d.ends(h)
			got, err := d.store.Delivery(d.t.Context(), d.by, h.webhook.ID, made.ID)
			if err != nil || got.State != want || got.Attempts != 1 || got.Status == nil || *got.Status != code || got.NextAt != nil || (got.LastError == nil) != (want == "delivered") {
				d.t.Errorf("%+v, %v; want %s by %d", got, err, want, code)
			}
			if n := len(h.all()); n != tries {
				d.t.Errorf("%d requests, want %d", n, tries)
			}
		}
		test("failed", 500, 1)
		d.clock.Advance(96 * time.Hour)
		d.answered(v, 1) // fails once and is tried again: the test's failure is no start of three days
		d.ends(h)
		if got := d.deliveries(h)[0]; got.State != "delivered" || got.Attempts != 2 || d.state(h).State != survey.Active {
			d.t.Errorf("after the test %+v, %+v", got, d.state(h))
		}
		test("delivered", 200, 4)
	})
}
