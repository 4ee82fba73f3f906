package api_test

import (
	"testing"

	"koe/survey/store"
)

// What koe is about to ask, why, and what it has decided is said in words.
func TestSurveysOnTheDashboard(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		const rules = `"rules":{"quiet_period":"14d","sample":1,"daily_limit":500,"condition":{"attributes.plan":["pro","<b>team"]},
			"send_window":{"from":"09:00","to":"18:00","weekdays":[1,2,3,4,5]},"reminders":["3d","1w"],"follow_up":{"score":{"max":6}}}`
		s.do("PUT", "/v1/surveys/mailed", `{"name":"After <b>chat</b>","template":"nps","touchpoint":"chat","channel":"email",
			"trigger":{"type":"interaction","delay":"2h"},`+rules+`}`).want(201)
		id := s.do("POST", "/v1/surveys/mailed/activate", nil).want(200).text("id")
		s.do("PUT", "/v1/surveys/thrice", `{"name":"Thrice","template":"nps","touchpoint":"shop","channel":"email","trigger":{"type":"schedule"}}`).want(201)
		s.do("PUT", "/v1/surveys/after", `{"name":"After that","template":"nps","touchpoint":"shop","channel":"email","trigger":{"type":"response","survey":"mailed","delay":"1d"}}`).want(201)
		s.do("PUT", "/v1/surveys/byhand", `{"name":"By hand","template":"nps","touchpoint":"shop","channel":"link","trigger":{"type":"manual"},"rules":{"quiet_period":"0s","sample":0.25}}`).want(201)
		for _, who := range []string{`{"email":"ana@example.com"},"attributes":{"plan":"pro"}`, `{"email":"ana@example.com"},"attributes":{"plan":"pro"}`,
			`{"email":"ben@example.com"},"attributes":{"plan":"free"}`, `{"external_id":"c-1"},"attributes":{"plan":"pro"}`} {
			s.do("POST", "/v1/interactions", `{"touchpoint":"chat","customer":`+who+`}`).want(202)
		}
		viewer, reader := s.staffOf(store.Viewer, "en"), s.staffOf(store.Viewer, "ja")

		s.page(viewer, "/dashboard/surveys").want(200).says("After &lt;b&gt;chat&lt;/b&gt;", "2 hours after an interaction", "0 9 * * 1-5", "each customer once in 90 days",
			"1 day after an answer to mailed", "when somebody starts it", "Draft", "Active", "/dashboard/surveys/"+id, "For the sending hours", "Being sent")
		s.page(reader, "/dashboard/surveys").want(200).says("やり取りの2時間後", "送信時間帯", "実施中")
		const page = "/dashboard/surveys/mailed"
		s.page(viewer, page).want(200).says("14 days after any survey of yours", "plan is pro, &lt;b&gt;team", "500 a day", "everybody",
			"09:00 to 18:00, Monday, Tuesday, Wednesday, Thursday, Friday, in the customer&#39;s time zone", "after 3 days, 1 week without an answer", "of scores at most 6, due within 24 hours",
			"Not asked: was asked lately", "Not asked: the condition does not hold", "Not asked: no mail address", "Asked", "Waiting")
		s.page(reader, page).want(200).says("いずれかのアンケートの後14日", "月, 火, 水, 木, 金", "対象外：最近依頼済み")
		s.page(viewer, page+"?reason=no_address").want(200).says("Show all of them").never("<td data-label=\"Decision\">Asked")
		s.page(viewer, page+"?from=2020-01-01&until=2020-02-01&reason=").want(200).says("Nothing in this range.")
		s.page(viewer, "/dashboard/surveys/byhand").want(200).says("25% of customers", "by a link", "none")
		s.page(viewer, "/dashboard/surveys/nowhere").want(404)
		s.page(viewer, page+"?from=2026-12-01&until=2026-11-01").want(422)

		s.do("POST", "/v1/members", `{"email":"shop@example.com","role":"viewer","touchpoints":["shop"]}`).want(201)
		shop := s.signedIn("shop@example.com")
		s.page(shop, "/dashboard/surveys").want(200).says("Thrice").never("After &lt;b&gt;", "Being sent")
		s.page(shop, page).want(404)
	})
}
