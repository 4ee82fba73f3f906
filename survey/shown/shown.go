// Package shown is the JSON in which responses and invitations leave koe: the
// same in the API, in exports and in webhooks.
//
// It knows field names and what is null. It knows nothing of requests, of
// databases or of who may see what.
package shown

import "koe/survey"

// Version is a template as it was asked.
type Version struct {
	Key     string `json:"key"`
	Version int    `json:"version"`
}

// Person is somebody as they stand beside an answer.
type Person struct {
	ID         survey.ID `json:"id"`
	ExternalID string    `json:"external_id,omitempty"`
	Email      string    `json:"email,omitempty"`
	Name       string    `json:"name,omitempty"`
	Locale     string    `json:"locale,omitempty"`
	Timezone   string    `json:"timezone,omitempty"`
}

// NewPerson is nil for nobody.
func NewPerson(p *survey.Person) *Person {
	if p == nil {
		return nil
	}
	return &Person{p.ID, p.ExternalID, p.Email, p.Name, p.Locale, p.Timezone}
}

// Response is an answer.
type Response struct {
	ID           survey.ID         `json:"id"`
	SurveyID     survey.ID         `json:"survey_id"`
	Touchpoint   string            `json:"touchpoint"`
	Metric       string            `json:"metric"`
	Score        int               `json:"score"`
	Answers      survey.Answers    `json:"answers"`
	Comment      *string           `json:"comment"`
	Locale       *string           `json:"locale"`
	Channel      *string           `json:"channel"`
	Customer     *Person           `json:"customer"`
	Attributes   survey.Attributes `json:"attributes"`
	Template     Version           `json:"template"`
	InvitationID *survey.ID        `json:"invitation_id"`
	ExternalID   string            `json:"external_id,omitempty"`
	RespondedAt  survey.Instant    `json:"responded_at"`
	CreatedAt    survey.Instant    `json:"created_at"`
	UpdatedAt    survey.Instant    `json:"updated_at"`
	Complete     bool              `json:"complete"`
	Excluded     bool              `json:"excluded"`
	Why          string            `json:"excluded_reason,omitempty"`
	Tags         []string          `json:"tags"`
	RuleTags     []string          `json:"rule_tags,omitempty"`
}

// NewResponse shows a response.
func NewResponse(r survey.Response) Response {
	out := Response{ID: r.ID, SurveyID: r.Survey, Touchpoint: r.Touchpoint, Metric: r.Metric, Score: r.Score,
		Answers: r.Answers, Comment: OrNull(r.Comment), Locale: OrNull(r.Locale), Channel: OrNull(r.Channel),
		Customer: NewPerson(r.Person), Attributes: r.Attributes, Template: Version{r.Template, r.TemplateVersion},
		InvitationID: r.Invitation, ExternalID: r.ExternalID, RespondedAt: r.RespondedAt,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Complete: r.Complete, Excluded: r.Excluded != "", Why: r.Excluded, Tags: r.Tags, RuleTags: r.RuleTags}
	if out.Attributes == nil {
		out.Attributes = survey.Attributes{}
	}
	return out
}

// Invitation is one person asked once.
type Invitation struct {
	ID            survey.ID              `json:"id"`
	SurveyID      survey.ID              `json:"survey_id"`
	Touchpoint    string                 `json:"touchpoint"`
	Channel       survey.Channel         `json:"channel"`
	State         survey.InvitationState `json:"state"`
	Reason        *string                `json:"reason"`
	Customer      *Person                `json:"customer"`
	InteractionID *survey.ID             `json:"interaction_id"`
	Template      Version                `json:"template"`
	Locale        string                 `json:"locale"`
	SendAt        survey.Instant         `json:"send_at"`
	ExpiresAt     survey.Instant         `json:"expires_at"`
	SentAt        *survey.Instant        `json:"sent_at"`
	AnsweredAt    *survey.Instant        `json:"answered_at"`
	OpenedAt      *survey.Instant        `json:"opened_at"`
	BouncedAt     *survey.Instant        `json:"bounced_at"`
	MessageID     *string                `json:"message_id"`
	MailNo        int                    `json:"mail_no"`
	Attempt       int                    `json:"attempt"`
	Held          bool                   `json:"held"`
	CreatedAt     survey.Instant         `json:"created_at"`
	UpdatedAt     survey.Instant         `json:"updated_at"`
}

// NewInvitation shows an invitation.
func NewInvitation(v survey.Invitation) Invitation {
	return Invitation{ID: v.ID, SurveyID: v.Survey, Touchpoint: v.Touchpoint, Channel: v.Channel, State: v.State,
		Reason: OrNull(v.Reason), Customer: NewPerson(v.Person), InteractionID: v.Interaction,
		Template: Version{v.Template, v.TemplateVersion}, Locale: v.Locale, SendAt: v.SendAt, ExpiresAt: v.ExpiresAt,
		SentAt: v.SentAt, AnsweredAt: v.AnsweredAt, OpenedAt: v.OpenedAt, BouncedAt: v.BouncedAt,
		MessageID: OrNull(v.MessageID), MailNo: v.MailNo, Attempt: v.Attempt, Held: v.Held,
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt}
}

// OrNull is null for an empty text.
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
