package delighted

import (
	"net/http"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// Autopilot is the schedule of the survey, where it has one. koe has none for
// SMS: that one is not active and has no members.

// configuration is a schedule as Delighted shows it: how often each person is
// asked, in seconds.
type configuration struct {
	Platform  string `json:"platform_id"`
	Active    bool   `json:"active"`
	Frequency *int64 `json:"frequency"`
	CreatedAt int64  `json:"created_at"`
	UpdatedAt int64  `json:"updated_at"`
}

// platform is email or sms; any other is NotFound.
func (r *request) platform() (string, error) {
	name := r.part("platform")
	if name != "email" && name != "sms" {
		return "", survey.Errorf(survey.NotFound, "", "there are the platforms email and sms")
	}
	return name, nil
}

// ShowAutopilot shows whether the survey asks by a schedule, and how often.
func ShowAutopilot(s *Server, r *request) error {
	platform, err := r.platform()
	if err != nil {
		return err
	}
	project, err := s.Store.KeySurvey(r.http().Context(), r.by)
	if err != nil {
		return err
	}
	out := configuration{Platform: platform, CreatedAt: seconds(project.CreatedAt), UpdatedAt: seconds(project.UpdatedAt)}
	if platform == "email" && project.Trigger.Type == survey.OnSchedule {
		out.Active = project.State == survey.Active
		out.Frequency = new(int64(project.Trigger.Every.Length().Seconds()))
	}
	return answer(r, http.StatusOK, out)
}

// member is a person on the survey's list.
type member struct {
	CreatedAt int64          `json:"created_at"`
	UpdatedAt int64          `json:"updated_at"`
	Person    memberPerson   `json:"person"`
	Next      *surveyRequest `json:"next_survey_request"`
}

type memberPerson struct {
	person
	LastSentAt *int64 `json:"last_sent_at"`
}

// surveyRequest is a mail that is planned.
type surveyRequest struct {
	ID          string            `json:"id"`
	CreatedAt   int64             `json:"created_at"`
	ScheduledAt int64             `json:"survey_scheduled_at"`
	Properties  survey.Attributes `json:"properties"`
}

// ListMembers lists who is on the survey's list.
func ListMembers(s *Server, r *request) error {
	platform, err := r.platform()
	if err != nil {
		return err
	}
	var f store.ListMemberFilter
	f.UpdatedFrom, f.UpdatedTo = r.span("updated_since", "updated_until")
	page := r.page()
	if f.People, err = s.members(r); err != nil {
		return err
	}
	ctx := r.http().Context()
	project, err := s.Store.KeySurvey(ctx, r.by)
	if err != nil {
		return err
	}
	if platform == "sms" {
		return answer(r, http.StatusOK, []member{})
	}
	list, next, err := s.Store.ListMembers(ctx, r.by, project.ID, f, page)
	if err != nil {
		return renamed(err, map[string]string{"cursor": "page_info"})
	}
	out, err := s.listedMembers(r, list)
	if err != nil {
		return err
	}
	s.next(r, next)
	return answer(r, http.StatusOK, out)
}

func (s *Server) listedMembers(r *request, list []store.ListMember) ([]member, error) {
	people := make([]survey.Person, len(list))
	for i, m := range list {
		people[i] = m.Person
	}
	standings, err := s.Store.Standings(r.http().Context(), r.by, people)
	out := make([]member, len(list))
	for i, m := range list {
		out[i] = member{CreatedAt: seconds(m.CreatedAt), UpdatedAt: seconds(m.UpdatedAt),
			Person: memberPerson{r.person(m.Person), unix(standings[m.Person.ID].LastAskedAt)}}
		if v := m.Next; v != nil {
			out[i].Next = &surveyRequest{shown.Digits(v.ID), seconds(v.CreatedAt), seconds(v.SendAt), v.Attributes}
		}
	}
	return out, err
}

// identifiers name a person in a call about memberships.
var identifiers = []string{"person_id", "person_email", "person_phone_number"}

// members finds whom the identifiers mean, whether or not they are on a list;
// nil where none is given. Of many it finds as many as a page holds.
func (s *Server) members(r *request) ([]survey.ID, error) {
	people, _, err := s.membersFrom(r, "")
	return people, err
}

// membersFrom is members from where an earlier page ended, and says where this
// one does; "" at the end.
func (s *Server) membersFrom(r *request, cursor string) (people []survey.ID, next string, err error) {
	id, address, number := r.id("person_id"), r.text("person_email"), r.phoneNumber("person_phone_number")
	if err := r.err(); err != nil {
		return nil, "", err
	}
	name := ""
	switch {
	case id != nil:
		return []survey.ID{*id}, "", nil
	case address != "":
		name = "email:" + address
	case number != "":
		name = "phone_number:" + number
	default:
		return nil, "", nil
	}
	people, next, err = s.namedFrom(r, name, cursor)
	if isKind(err, survey.NotFound) {
		return []survey.ID{}, "", nil
	}
	return people, next, err
}

// writable finds the survey of a call that changes its list, and refuses SMS
// and a call that does not name one person.
func (s *Server) writable(r *request) (survey.Survey, error) {
	platform, err := r.platform()
	if err != nil {
		return survey.Survey{}, err
	}
	if platform == "sms" {
		r.problems.Add("platform", "unsupported", "koe sends no SMS; use /autopilot/email/memberships")
	}
	named := 0
	for _, name := range identifiers {
		if r.text(name) != "" {
			named++
		}
	}
	if named != 1 {
		r.problems.Add("person_email", "required", "name one person, by person_id, person_email or person_phone_number")
	}
	if err := r.err(); err != nil {
		return survey.Survey{}, err
	}
	return s.Store.KeySurvey(r.http().Context(), r.by)
}

// told shows a person to who put them on the list, or took them off: an admin,
// who may read people, is told all that is known, anybody else what they said
// themselves. name is what they called the person.
func (r *request) told(p survey.Person, name string) person {
	out := r.person(p)
	if r.by.Role == store.Admin {
		return out
	}
	out.Name, out.Phone = r.own(out.Name, name), r.own(phoneOf(p), r.text("person_phone_number"))
	if r.text("person_email") == "" {
		out.Email = nil
	}
	return out
}

// own is what is stored of a person, to be told to who changed something about
// them: to an admin, and to whoever has just said the same.
func (r *request) own(stored *string, said string) *string {
	if stored == nil || r.by.Role != store.Admin && *stored != said {
		return nil
	}
	return stored
}

// PutMember puts a person on the survey's list.
func PutMember(s *Server, r *request) error {
	project, err := s.writable(r)
	if err != nil {
		return err
	}
	properties := r.attributes("properties")
	c := survey.Customer{Name: r.text("person_name"), Locale: properties["locale"].Text()}
	people, err := s.members(r)
	if err != nil {
		return err
	}
	if err := s.checkWorded(r, project, properties); err != nil {
		return err
	}
	var who *survey.ID
	switch address := r.text("person_email"); {
	case address != "":
		c.Email = &address
	case len(people) == 0:
		r.problems.Add("person_phone_number", "unknown", "is nobody's here; name somebody new by person_email")
	default:
		who = &people[0]
	}
	if err := r.err(); err != nil {
		return err
	}
	m, fresh, err := s.Store.PutListMember(r.http().Context(), r.by, project.ID, who, c, properties)
	if isKind(err, survey.NotFound) {
		return survey.Errorf(survey.Invalid, "person_id", "does not exist")
	}
	if err != nil {
		return renamed(err, map[string]string{"customer.email": "person_email", "customer.name": "person_name",
			"customer.locale": "properties.locale", "attributes": "properties", "attributes.": "properties.", "trigger": "base"})
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return answer(r, status, struct {
		Person     person            `json:"person"`
		Properties survey.Attributes `json:"properties"`
	}{r.told(m.Person, c.Name), properties})
}

// DeleteMember takes a person off the survey's list; everybody who has the
// address or the number that is named.
func DeleteMember(s *Server, r *request) error {
	project, err := s.writable(r)
	if err != nil {
		return err
	}
	var gone survey.Person
	for cursor, first := "", true; first || cursor != ""; first = false {
		people, next, err := s.membersFrom(r, cursor)
		if err != nil {
			return err
		}
		some, err := s.Store.RemoveListMember(r.http().Context(), r.by, project.ID, people)
		nobody := next == "" && gone.ID.IsZero() // of all pages
		switch {
		case err == nil:
			gone = some
		case nobody || !isKind(err, survey.NotFound):
			return err
		}
		cursor = next
	}
	return answer(r, http.StatusAccepted, struct {
		Person person `json:"person"`
	}{r.told(gone, "")})
}
