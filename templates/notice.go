package templates

import (
	"fmt"

	"koe/survey"
)

// WebhookPaused tells the owner of a webhook that koe has paused it. Owners run
// systems and read English; customers never see it.
func WebhookPaused(w survey.Webhook, baseURL string) Mail {
	why := "Its endpoint has taken nothing for three days."
	if w.PausedReason == survey.PausedGone {
		why = "Its endpoint answered 410 (Gone), which says that it wants no more."
	}
	name := w.Description
	if name == "" {
		name = w.ID.String()
	}
	return Mail{Subject: "koe has paused the webhook " + name, Text: fmt.Sprintf(`koe has paused the webhook %s.

%s What happens from now on is not sent to it.

Once the endpoint works, make it active again:

  PATCH %s/v1/webhooks/%s   {"state":"active"}

What still waited is sent then. What was given up is listed under
/v1/webhooks/%s/deliveries and can be sent again from there.
`, name, why, baseURL, w.ID, w.ID)}
}
