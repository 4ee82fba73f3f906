package demo

import (
	"math"
	"math/rand/v2"
	"time"

	"koe/survey"
)

// calledBack is for how many days the shop has got back to unhappy customers.
const calledBack = 56

// callBack is a rule for scores up to most.
func callBack(most int, due survey.Duration, owner string) *survey.FollowUpRule {
	return &survey.FollowUpRule{Score: survey.ScoreRange{Max: &most}, Due: due, Owner: owner, EscalateTo: lead, Confirm: true}
}

// followUp is what staff did about an unhappy answer, and what the customer said
// to it: nil where the shop did not get back to anybody yet.
func (y *year) followUp(p *place, c *customer, score int, at survey.Instant) *survey.PastFollowUp {
	rule := p.rules.FollowUp
	if rule == nil || !rule.Score.Holds(score) || at < y.now.Add(-calledBack*24*time.Hour) {
		return nil
	}
	s := story{Rand: y.calls, now: y.now, at: at, words: callBacks[c.Locale]}
	if s.words.call == nil {
		s.words = callBacks["en"] // the team writes English or Japanese
	}
	s.tell(y.now.Sub(at) > 9*24*time.Hour)
	return &survey.PastFollowUp{Steps: s.steps}
}

// story is a follow-up while it is told.
type story struct {
	*rand.Rand
	now   survey.Instant
	at    survey.Instant // of what was told last
	words callWords
	steps []survey.FollowUpStep
}

// tell goes on until now. What is long past was seen to, sooner or later; of the
// rest some was forgotten, and some is not done yet.
func (s *story) tell(past bool) {
	if chance := s.Float64(); chance < 0.15 && !past {
		return
	}
	s.step(3, survey.FollowUpStep{State: survey.FollowUpInProgress, Note: s.one(s.words.call)})
	if s.Float64() < 0.15 && !past {
		return
	}
	s.step(6, survey.FollowUpStep{State: survey.FollowUpResolved, Note: s.maybe(s.words.talk), Outcome: s.one(s.words.outcome)})
	switch chance := s.Float64(); {
	case chance < 0.5:
		s.step(9, survey.FollowUpStep{Solved: new(true)})
	case chance < 0.62:
		s.step(9, survey.FollowUpStep{Solved: new(false)})
		s.step(8, survey.FollowUpStep{State: survey.FollowUpResolved, Note: s.one(s.words.again), Outcome: s.one(s.words.outcome)})
		if s.Float64() < 0.6 {
			s.step(9, survey.FollowUpStep{Solved: new(true)})
		}
	}
}

// step takes some hours, mostly about so many; what would come after now has not
// happened, nor has anything behind it.
func (s *story) step(hours float64, step survey.FollowUpStep) {
	took := hours * math.Exp(0.8*s.NormFloat64())
	s.at = s.at.Add(time.Duration(min(took, 60) * float64(time.Hour)).Round(time.Second))
	if step.At = s.at; s.at < s.now {
		s.steps = append(s.steps, step)
	}
}

func (s *story) one(list []string) string { return list[s.IntN(len(list))] }

func (s *story) maybe(list []string) string {
	if s.Float64() < 0.5 {
		return ""
	}
	return s.one(list)
}

// callWords is what staff write down.
type callWords struct{ call, talk, again, outcome []string }

var callBacks = map[string]callWords{
	"en": {
		call: []string{"Called; nobody answered. Will try again this afternoon.", "Called and listened. Checking with the warehouse.",
			"Wrote to the customer and asked for the order number.", "Spoke to them; they are rightly annoyed. Looking into it."},
		talk:    []string{"Called again and explained what went wrong.", "Asked the carrier; the parcel is found.", "Sent the steps by mail, with screenshots."},
		again:   []string{"They were right, the voucher had not arrived. Sent it again.", "Called once more and stayed on the line until it worked."},
		outcome: []string{"Refunded", "Replacement is on its way", "Apologised and explained", "Solved on the phone", "Voucher sent", "Passed on to the product team"},
	},
	"ja": {
		call: []string{"お電話しましたが、ご不在でした。夕方にもう一度おかけします。", "お電話でお話を伺いました。倉庫に確認中です。",
			"メールで注文番号をお尋ねしました。", "お話を伺い、お詫びしました。原因を調べています。"},
		talk:    []string{"再度お電話し、経緯をご説明しました。", "配送会社に確認し、荷物が見つかりました。", "手順を画像付きのメールでお送りしました。"},
		again:   []string{"クーポンが届いていなかったため、再送しました。", "もう一度お電話し、動作するまでご案内しました。"},
		outcome: []string{"返金済み", "交換品を発送済み", "お詫びのうえご説明", "電話で解決", "クーポンを送付", "商品部門に共有"},
	},
}

// Complaints are unhappy answers of this very hour: somebody of the team is to be
// mailed about each.
func Complaints(now survey.Instant) []survey.Visit {
	told := func(number, agent, region, name, address, locale, zone, comment string, ago time.Duration, topic ...string) survey.Visit {
		o := occasion{about: map[string]string{"agent": agent, "plan": "plus", "region": region}}
		return survey.Visit{Survey: "support_call", Elsewhere: true, Channel: "phone", AnsweredAt: now.Add(-ago),
			Interaction: survey.Interaction{Touchpoint: "support_call", ExternalID: "call-today-" + number, Attributes: o.attributes(), OccurredAt: now.Add(-ago),
				Customer: survey.Customer{ExternalID: "u-" + number, Email: &address, Name: name, Locale: locale, Timezone: zone}},
			Answer: &survey.Answer{Score: 1, Comment: comment, Answers: survey.Answers{"topic": topic, "patience": 2, "contact": true}, Complete: true}}
	}
	return []survey.Visit{
		told("1", "Okafor", "London", "Grace Hughes", "grace.hughes@example.com", "en", "Europe/London",
			"My armchair came with three legs. I called twice, waited 40 minutes, and was told to send a photo that I had sent already.", 25*time.Minute, "waiting", "solution"),
		told("2", "Mori", "Kanto", "小林 直子", "naoko.kobayashi@example.com", "ja", "Asia/Tokyo",
			"炊飯器の交換をお願いして2週間になりますが、まだ連絡がありません。電話も30分待って切れてしまいました。", 10*time.Minute, "waiting", "solution"),
	}
}
