package scheduler

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// unwanted says why an event is not sent after all, "" where it is: what it is
// about may have changed while it waited.
func unwanted(d store.Dispatch, of store.Subject) string {
	r := of.Response
	if of.FollowUp != nil {
		r = &of.FollowUp.Response
	}
	switch {
	case of.Target != nil || d.Event == survey.EventWebhookTest:
		return ""
	case d.Event == survey.EventTargetChanged && d.Hook.Format.Chat():
		return "the target is gone"
	case r == nil && d.Hook.Format.Chat():
		return "the answer is gone"
	case r == nil:
		return ""
	case !d.Hook.WantsScore(r.Score):
		return "the score is not among those that the webhook wants"
	case d.Hook.Format.Chat() && r.Excluded != "":
		return "the answer is left out of scores"
	}
	return ""
}

// written is an event in the format of its webhook.
func (s *Scheduler) written(d store.Dispatch, of store.Subject) ([]byte, error) {
	switch d.Hook.Format {
	case survey.FormatDelighted:
		return s.delighted(d, of)
	case survey.FormatSlack, survey.FormatTeams:
		said, err := s.chat(d, of)
		if err != nil {
			return nil, err
		}
		if d.Hook.Format == survey.FormatTeams {
			return json.Marshal(teamsMessage(said))
		}
		return json.Marshal(slackMessage(said))
	}
	return payload(d, of, survey.InstantOf(s.Now()))
}

// prove puts into a request's header what says that koe sent it. A chat asks
// for nothing: its address is the secret.
func prove(header http.Header, d store.Dispatch, body []byte, now time.Time) {
	switch {
	case d.Hook.Format == survey.FormatDelighted:
		mac := hmac.New(sha256.New, []byte(d.Secrets[0])) // the header has room for one
		mac.Write(body)
		header.Set("X-Delighted-Webhook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	case !d.Hook.Format.Chat():
		id, at := "msg_"+d.ID.String(), strconv.FormatInt(now.Unix(), 10)
		header.Set("Webhook-Id", id)
		header.Set("Webhook-Timestamp", at)
		header.Set("Webhook-Signature", signatures(d.Secrets, id, at, body))
	}
}

// delightedName is Delighted's word for an event.
func delightedName(event survey.Event) string {
	switch event {
	case survey.EventResponseCreated:
		return "survey_response.created"
	case survey.EventResponseUpdated:
		return "survey_response.updated"
	case survey.EventPersonUnsubscribed:
		return "unsubscribe.created"
	}
	return string(event)
}

// delightedUnsubscribe is somebody who unsubscribed, as Delighted lists them.
type delightedUnsubscribe struct {
	PersonID *string `json:"person_id"` // koe suppresses addresses, not people
	Email    *string `json:"email"`
	Name     *string `json:"name"`
	At       int64   `json:"unsubscribed_at"`
}

// delightedGone is the data of an event about what is not there any more.
type delightedGone struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

// delighted writes an event as Delighted does. Its id is 64 hexadecimal digits,
// the same on every try.
func (s *Scheduler) delighted(d store.Dispatch, of store.Subject) ([]byte, error) {
	var data any
	switch {
	case d.Event == survey.EventWebhookTest:
		data = tested{testMessage}
	case of.Response != nil:
		data = shown.NewDelightedResponse(*of.Response, *of.Template, s.BaseURL)
	case of.Suppression != nil:
		data = delightedUnsubscribe{Email: shown.OrNull(of.Suppression.Email), At: of.Suppression.CreatedAt.Time().Unix()}
	default:
		data = delightedGone{shown.Digits(d.Subject), true}
	}
	id := sha256.Sum256([]byte(d.ID.String()))
	return json.Marshal(struct {
		Type string `json:"event_type"`
		ID   string `json:"event_id"`
		Data any    `json:"event_data"`
	}{delightedName(d.Event), hex.EncodeToString(id[:]), data})
}
