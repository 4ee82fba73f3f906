package api

import (
	"github.com/labstack/echo/v4"

	"koe/api/delighted"
)

// delightedRoutes are the operations of Delighted's API v1. The roles are those
// of koe's own operations on the same things. Paths may end in .json; see
// delighted.Route.
func delightedRoutes() []Route {
	const (
		people      = delighted.Base + "/people"
		responses   = delighted.Base + "/survey_responses"
		autopilot   = delighted.Base + "/autopilot/{platform}"
		memberships = autopilot + "/memberships"
	)
	return []Route{
		{"delightedCreatePerson", post, people, Editors, anyBody, anyQuery, delightedly(delighted.CreatePerson)},
		{"delightedSavePerson", put, people, Editors, anyBody, anyQuery, delightedly(delighted.CreatePerson)},
		{"delightedListPeople", get, people, Admins, noBody, anyQuery, delightedly(delighted.ListPeople)},
		{"delightedShowPerson", get, people + "/{person}", Admins, noBody, anyQuery, delightedly(delighted.ShowPerson)},
		{"delightedDeletePerson", remove, people + "/{person}", Admins, anyBody, anyQuery, delightedly(delighted.DeletePerson)},
		{"delightedDeletePending", remove, people + "/{person}/survey_requests/pending", Editors, anyBody, anyQuery, delightedly(delighted.DeletePending)},

		{"delightedUnsubscribe", post, delighted.Base + "/unsubscribes", Editors, anyBody, anyQuery, delightedly(delighted.Unsubscribe)},
		{"delightedListUnsubscribes", get, delighted.Base + "/unsubscribes", Editors, noBody, anyQuery, delightedly(delighted.ListUnsubscribes)},
		{"delightedListBounces", get, delighted.Base + "/bounces", Editors, noBody, anyQuery, delightedly(delighted.ListBounces)},

		{"delightedCreateResponse", post, responses, Editors, anyBody, anyQuery, delightedly(delighted.CreateResponse)},
		{"delightedSaveResponse", put, responses, Editors, anyBody, anyQuery, delightedly(delighted.UpdateResponse)},
		{"delightedListResponses", get, responses, Readers, noBody, anyQuery, delightedly(delighted.ListResponses)},
		{"delightedShowResponse", get, responses + "/{id}", Readers, noBody, anyQuery, delightedly(delighted.ShowResponse)},
		{"delightedUpdateResponse", put, responses + "/{id}", Editors, anyBody, anyQuery, delightedly(delighted.UpdateResponse)},

		{"delightedMetrics", get, delighted.Base + "/metrics", Readers, noBody, anyQuery, delightedly(delighted.Metrics)},

		{"delightedShowAutopilot", get, autopilot, Readers, noBody, anyQuery, delightedly(delighted.ShowAutopilot)},
		{"delightedListMembers", get, memberships, Admins, noBody, anyQuery, delightedly(delighted.ListMembers)},
		{"delightedPutMember", post, memberships, Editors, anyBody, anyQuery, delightedly(delighted.PutMember)},
		{"delightedDeleteMember", remove, memberships, Editors, anyBody, anyQuery, delightedly(delighted.DeleteMember)},
	}
}

func delightedly(do delighted.Operation) func(*api, echo.Context) error {
	return func(a *api, c echo.Context) error { return a.delighted.Serve(c, caller(c), do) }
}
