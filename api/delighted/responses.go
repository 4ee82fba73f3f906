package delighted

import (
	"maps"
	"net/http"
	"slices"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// person is an expanded one.
type person struct {
	shown.DelightedPerson
	Phone *string `json:"phone_number"`
}

// person shows a person; the telephone number, as every attribute of people, to
// admins alone.
func (r *request) person(p survey.Person) person {
	out := person{DelightedPerson: shown.NewDelightedPerson(p)}
	if r.by.Role == store.Admin {
		out.Phone = phoneOf(p)
	}
	return out
}

// responseNames are the parameters behind the store's fields.
var responseNames = map[string]string{"customer.email": "person", "customer.external_id": "person", "responded_at": "created_at",
	"attributes": "person_properties", "attributes.": "person_properties."}

// CreateResponse keeps an answer that was taken elsewhere.
func CreateResponse(s *Server, r *request) error {
	ctx := r.http().Context()
	who, score := r.owner(), r.whole("score", -99, 99)
	if who == nil && r.problems.Err() == nil {
		r.problems.Add("person", "required", "can't be blank")
	}
	in := store.NewResponse{Score: point(score), Comment: r.text("comment"), Attributes: r.attributes("person_properties"), RespondedAt: r.seconds("created_at")}
	if err := r.err(); err != nil {
		return err
	}
	project, err := s.Store.KeySurvey(ctx, r.by)
	if err != nil {
		return err
	}
	known, _, err := s.Store.Person(ctx, r.by, who.String())
	if isKind(err, survey.NotFound) {
		return survey.Errorf(survey.Invalid, "person", "does not exist")
	}
	if err != nil {
		return err
	}
	in.Survey, in.Customer = project.ID.String(), survey.Customer{ExternalID: known.ExternalID}
	if known.ExternalID == "" {
		in.Customer.Email = &known.Email
	}
	made, _, err := s.Store.CreateResponse(ctx, r.by, in)
	if err != nil {
		return renamed(err, responseNames)
	}
	return s.answerResponse(r, http.StatusCreated, made)
}

func point(n *int64) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

// owner is whose answer it is: an id, or the person as an answer showed it.
func (r *request) owner() *survey.ID {
	if shown, expanded := r.values["person"].(map[string]any); expanded {
		r.values["person"] = shown["id"]
	}
	return r.id("person")
}

// UpdateResponse changes an answer. Clients send back all that they were
// shown: what cannot be changed is not looked at.
func UpdateResponse(s *Server, r *request) error {
	name := r.part("id")
	if name == "" { // of a client that leaves it out of the path
		name = r.text("id")
	}
	id, ok := parseDigits(name)
	if !ok {
		return survey.Errorf(survey.NotFound, "", "there is no such survey response")
	}
	who, score, comment := r.owner(), r.whole("score", -99, 99), r.text("comment")
	properties := r.attributes("person_properties")
	if err := r.err(); err != nil {
		return err
	}
	ctx := r.http().Context()
	before, _, err := s.Store.Response(ctx, r.by, id)
	if err != nil {
		return err
	}
	template, err := s.template(r, before.Template, before.TemplateVersion)
	if err != nil {
		return err
	}
	changed, _, err := s.Store.ChangeResponse(ctx, r.by, id, func(v *store.ResponseChange) (err error) {
		if score != nil {
			v.Score = point(score)
		}
		if who != nil {
			v.Person = who
		}
		if r.given("person_properties") {
			v.Attributes = properties
		}
		if _, said := r.values["comment"]; said && comment != before.Comment {
			v.Answers, err = commented(template, *v.Score, v.Answers, comment)
		}
		return err
	})
	if err != nil {
		return renamed(err, responseNames)
	}
	return s.answerResponse(r, http.StatusOK, changed)
}

// commented puts a comment in the place of the one that is there.
func commented(t survey.Template, score int, answers survey.Answers, comment string) (survey.Answers, error) {
	key := t.CommentKey(score, answers)
	if key == "" {
		return answers, survey.Errorf(survey.Invalid, "comment", "the template %q asks for no words after this score", t.Key)
	}
	answers = maps.Clone(answers)
	if delete(answers, key); comment != "" {
		answers[key] = comment
	}
	return answers, nil
}

// ListResponses lists the answers of the survey that count.
func ListResponses(s *Server, r *request) error {
	f := store.ResponseFilter{Excluded: new(false), Person: r.id("person_id"), Email: r.text("person_email")}
	f.From, f.To = r.span("since", "until")
	f.UpdatedFrom, f.UpdatedTo = r.span("updated_since", "updated_until")
	r.refuse("trend", "koe has no trends; ask /v1/responses with attributes.NAME")
	order, leaf := r.order(), r.leaf()
	if err := r.err(); err != nil {
		return err
	}
	ctx := r.http().Context()
	project, err := s.Store.KeySurvey(ctx, r.by)
	if err != nil {
		return err
	}
	f.Survey = project.ID.String()
	list, err := s.Store.ResponseLeaf(ctx, r.by, f, order, leaf)
	if err != nil {
		return err
	}
	out := make([]shown.DelightedResponse, len(list))
	for i, one := range list {
		if out[i], err = s.response(r, one); err != nil {
			return err
		}
	}
	return answer(r, http.StatusOK, out)
}

func (p *params) order() (o store.ResponseOrder) {
	switch order := p.text("order"); order {
	case "", "asc":
	case "desc":
		o.Down = true
	case "asc:updated_at":
		o.ByUpdate = true
	case "desc:updated_at":
		o.ByUpdate, o.Down = true, true
	default:
		p.problems.Add("order", "unknown", "must be asc, desc, asc:updated_at or desc:updated_at")
	}
	return o
}

// ShowResponse shows one answer.
func ShowResponse(s *Server, r *request) error {
	id, ok := parseDigits(r.part("id"))
	if !ok {
		return survey.Errorf(survey.NotFound, "", "there is no such survey response")
	}
	one, _, err := s.Store.Response(r.http().Context(), r.by, id)
	if err != nil {
		return err
	}
	return s.answerResponse(r, http.StatusOK, one)
}

func (s *Server) answerResponse(r *request, status int, one survey.Response) error {
	out, err := s.response(r, one)
	if err != nil {
		return err
	}
	return answer(r, status, out)
}

// response shows an answer. Its person is an id, or the person where a call
// expands it.
func (s *Server) response(r *request, one survey.Response) (shown.DelightedResponse, error) {
	template, err := s.template(r, one.Template, one.TemplateVersion)
	if err != nil {
		return shown.DelightedResponse{}, err
	}
	out := shown.NewDelightedResponse(one, template, s.BaseURL.String())
	switch {
	case one.Person == nil:
	case slices.Contains(r.words("expand"), "person"):
		out.Person = r.person(*one.Person)
	default:
		out.Person = shown.Digits(one.Person.ID)
	}
	return out, nil
}
