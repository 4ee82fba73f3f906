package api_test

import (
	"fmt"
	"strings"
	"testing"

	"koe/survey/store"
	"koe/survey/store/storetest"
)

// What a figure shall be, and how it stands, is said on the scoreboard and on
// the touchpoint's page; a limited member reads of their own touchpoints.
func TestPagesSayHowTargetsStand(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		csatChat(s, 70, 30)
		s.do("PUT", "/v1/touchpoints/shop", `{"key":"shop","name":"Shop"}`).want(201)
		s.do("POST", "/v1/targets", chatTarget).want(201).wantAt("state", "breached")
		s.do("POST", "/v1/targets", `{"name":"Short <b>waits</b>","kind":"attribute_median","touchpoint":"support_chat","attribute":"wait_seconds","at_most":120}`).want(201)
		s.do("POST", "/v1/targets", `{"name":"Shop answers","kind":"response_rate","touchpoint":"shop","at_least":15}`).want(201)
		s.do("POST", "/v1/targets", `{"name":"Call back","kind":"time_to_first_touch","at_most":8,"period":"week"}`).want(201)

		viewer, reader := s.staffOf(store.Viewer, "en"), s.staffOf(store.Viewer, "ja")
		const october = "?from=2026-10-01&until=2026-11-22"
		board := s.page(viewer, "/dashboard"+october).want(200).says(`CSAT at least 85%: <strong class="worse">breached</strong>`, "Other targets",
			"Short &lt;b&gt;waits&lt;/b&gt;", "Median of wait_seconds at most 120", "Response rate at least 15%", "Median time to first touch at most 8 hours", "not enough to judge")
		if n := strings.Count(string(board.body), `class="spark"`); n != 1 {
			t.Errorf("%d sparklines", n)
		}
		trend := s.scores("touchpoint=support_chat&metric=csat&from=2026-10-12&to=2026-10-19")
		board.says(fmt.Sprintf(`aria-label="First %[1]v%%, last %[1]v%%`, trend.at("total.rounded")))
		s.page(reader, "/dashboard"+october).want(200).says("CSAT 85%以上", "未達", "その他の目標", "8時間以下")
		s.page(viewer, "/dashboard?from=2025-01-01&until=2026-11-22").want(200).says("<svg")

		page := s.page(viewer, "/dashboard/touchpoints/support_chat"+october).want(200).says("CSAT at least 85%", "70%, ", "n = 100", "judged from 34", "Median of wait_seconds").never("Shop answers")
		if drawn := s.page(viewer, "/dashboard/touchpoints/support_chat/scores.svg"+october).want(200); !strings.Contains(string(drawn.body), "85%") {
			t.Errorf("the chart has no line of the target: %s", drawn.body)
		}
		page.says("85%")
		s.page(viewer, "/dashboard/touchpoints/shop").want(200).says("Nobody has answered at this touchpoint yet", "Response rate at least 15%")

		s.do("POST", "/v1/members", `{"email":"shop@example.com","role":"viewer","touchpoints":["shop"]}`).want(201)
		s.page(s.signedIn("shop@example.com"), "/dashboard"+october).want(200).says("Shop answers").never("wait_seconds", "85%", "Call back")
	})
}
