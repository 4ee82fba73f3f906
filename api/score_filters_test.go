package api_test

import "testing"

// A filter with an empty value keeps the answers without one: those that a
// split shows under the key "".
func TestScoresOfAnswersWithoutAValue(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("chat", `"segments":["plan"]`)
		s.answered("chat", 10, `,"locale":"ja","channel":"app","attributes":{"plan":"pro"}`)
		s.answered("chat", 9, `,"locale":"ja","channel":"app"`)
		s.answered("chat", 0, `,"channel":"app","attributes":{"plan":"pro"}`)
		s.bring("chat", []byte("score,locale,channel,attributes.plan\n3,,,\n"))
		for _, field := range []string{"locale", "channel", "attributes.plan"} {
			groups := s.scoresOf("group_by=%s", field).Groups
			for _, zone := range []string{"Asia/Tokyo", "America/New_York"} { // of tallies, and of rows
				of := s.scoresOf("%s=&interval=month&timezone=%s", field, zone)
				var alone scored
				for _, g := range groups {
					if g.Key == "" {
						alone = g
					}
				}
				if of.Total.Responses != alone.Responses || alone.Responses > 0 && *of.Total.Score != *alone.Score {
					t.Errorf("%s= in %s: %s, as a group %s", field, zone, written(t, of.Total), written(t, alone))
				}
			}
		}
	})
}
