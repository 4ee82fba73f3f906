package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// webhookRequest is what a webhook's owner may set.
type webhookRequest struct {
	URL         string         `json:"url"`
	Description string         `json:"description"`
	Events      []survey.Event `json:"events"`
	Format      survey.Format  `json:"format"`
	ScoreMin    *int           `json:"score_min"`
	ScoreMax    *int           `json:"score_max"`
	OwnerEmail  string         `json:"owner_email"`
	State       survey.State   `json:"state"`
}

func (r webhookRequest) into(w *survey.Webhook) {
	w.URL, w.Description, w.Events, w.OwnerEmail, w.State = r.URL, r.Description, r.Events, r.OwnerEmail, r.State
	w.Format, w.ScoreMin, w.ScoreMax = r.Format, r.ScoreMin, r.ScoreMax
}

// webhookResponse is a webhook. Its secret is told once, when it is made or
// rotated: a replay omits it.
type webhookResponse struct {
	survey.Webhook
	Secret string `json:"secret,omitempty"`
}

func (a *api) createWebhook(c echo.Context) error {
	var in webhookRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		var w survey.Webhook
		in.into(&w)
		w, secret, err := a.Store.CreateWebhook(ctx, by, w)
		return created(webhookResponse{w, secret}, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		w, err := a.webhookAgain(c, by, resource)
		return created(w, ""), err
	})
}

// webhookAgain is a webhook as a replay shows it.
func (a *api) webhookAgain(c echo.Context, by store.Caller, resource string) (webhookResponse, error) {
	id, err := survey.ParseID(resource)
	if err != nil {
		return webhookResponse{}, err
	}
	w, err := a.Store.Webhook(c.Request().Context(), by, id)
	return webhookResponse{Webhook: w}, err
}

func (a *api) listWebhooks(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Webhooks(c.Request().Context(), caller(c), page)
	if err != nil {
		return err
	}
	return send(c, listed(items, next))
}

func (a *api) showWebhook(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	w, err := a.Store.Webhook(c.Request().Context(), caller(c), id)
	return reply(c, okay(w, ""), err)
}

func (a *api) patchWebhook(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	w, err := a.Store.ChangeWebhook(c.Request().Context(), caller(c), id, func(w *survey.Webhook) error {
		var changed webhookRequest
		if err := mergePatch(webhookRequest{w.URL, w.Description, w.Events, w.Format, w.ScoreMin, w.ScoreMax, w.OwnerEmail, w.State}, rawBody(c), &changed); err != nil {
			return err
		}
		changed.into(w)
		return nil
	})
	return reply(c, okay(w, ""), err)
}

func (a *api) deleteWebhook(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteWebhook(c.Request().Context(), caller(c), id))
}

func (a *api) rotateWebhook(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		w, secret, err := a.Store.RotateWebhook(c.Request().Context(), by, id)
		return okay(webhookResponse{w, secret}, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		w, err := a.webhookAgain(c, by, resource)
		return okay(w, ""), err
	})
}

func (a *api) testWebhook(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	return a.deliverOnce(c, id, func(by store.Caller) (store.Delivery, error) {
		return a.Store.TestWebhook(c.Request().Context(), by, id)
	})
}

func (a *api) redeliverWebhook(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	delivery, err := survey.ParseID(param(c, "delivery"))
	if err != nil {
		return survey.Errorf(survey.NotFound, "", "there is no such delivery")
	}
	return a.deliverOnce(c, id, func(by store.Caller) (store.Delivery, error) {
		return a.Store.Redeliver(c.Request().Context(), by, id, delivery)
	})
}

// deliverOnce answers 202 with a delivery that is to come.
func (a *api) deliverOnce(c echo.Context, webhook survey.ID, do func(store.Caller) (store.Delivery, error)) error {
	return a.once(c, func(by store.Caller) (answer, error) {
		d, err := do(by)
		return accepted(d), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		d, err := a.Store.Delivery(c.Request().Context(), by, webhook, id)
		return accepted(d), err
	})
}

func (a *api) listDeliveries(c echo.Context) error {
	id, err := idParam(c, "webhook")
	if err != nil {
		return err
	}
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Deliveries(c.Request().Context(), caller(c), id, page)
	if err != nil {
		return err
	}
	return send(c, listed(items, next))
}
