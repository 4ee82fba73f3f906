package api_test

import (
	"strings"
	"testing"
	"time"

	"koe/api"
)

func TestMetricsOfWebhooks(t *testing.T) {
	s := newServer(t, func(o *api.Options) {
		o.WebhookTries = func() api.WebhookTries { return api.WebhookTries{Taken: 7, Refused: 2, Unreached: 1} }
	})
	s.do("POST", "/v1/webhooks", `{`+endpoint+`}`).want(201)
	s.survey("chat", "")
	s.answered("chat", 9, "")
	s.now.move(90 * time.Second)
	shown := string(s.do("GET", "/metrics", nil).want(200).body)
	for _, line := range []string{`koe_webhook_tries_total{outcome="taken"} 7`, `koe_webhook_tries_total{outcome="refused"} 2`,
		`koe_webhook_tries_total{outcome="unreached"} 1`, "koe_webhook_oldest_due_seconds 90", "koe_webhook_in_flight 0", "koe_webhook_paused 0"} {
		if !strings.Contains(shown, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}
