package delighted

import (
	"maps"
	"slices"
	"strings"

	"koe/survey"
	"koe/survey/history"
)

// Facts are what all files say together about people: an answer names its
// person by a number that another file explains, and the last of several dates
// counts. They hold a few words for each person, whatever the files' size.
type Facts struct {
	Types  map[string]int64          // how many answers there are of each survey_type
	Latest map[string]survey.Instant // and when the last of them was given

	addresses map[string]string // by Delighted's id of the person
	known     map[string]*known // by address
	unnamed   map[string]*known // by id, as long as no file has said the address
	pending   []pending
	lists     map[Kind]*ListCount
	rejected  []Rejection
}

// known is what matters about an address before anything else does.
type known struct {
	asked        *survey.Instant
	unsubscribed bool
	bounced      bool
	since        survey.Instant // of the suppression; 0 where no date is known
	listed       bool           // by a list of opt-outs
	told         bool           // a person was made of it
}

// pending is an opt-out of somebody whose address is not said in its row.
type pending struct {
	file   string
	line   int
	kind   Kind
	person string
}

// ListCount is what became of the rows of a list.
type ListCount struct {
	In       int64 `json:"in"`
	Accepted int64 `json:"accepted"`
	Repeated int64 `json:"repeated"`
	Rejected int64 `json:"rejected"`
}

// Rejection is a row that koe does not keep.
type Rejection struct {
	File string `json:"file"`
	history.Rejection
}

// NewFacts are those of no file.
func NewFacts() *Facts {
	return &Facts{Types: map[string]int64{}, Latest: map[string]survey.Instant{}, addresses: map[string]string{}, known: map[string]*known{},
		unnamed: map[string]*known{}, lists: map[Kind]*ListCount{Unsubscribes: {}, Bounces: {}}}
}

// Add learns from one record of a file. Every record is added once, before
// [Facts.Settle]; the order does not matter. One that is wrong elsewhere than in
// its address still says whom to leave in peace.
func (f *Facts) Add(file string, r Record) {
	if r.Kind == Responses {
		f.Types[r.Type]++
		if r.Created != nil {
			f.Latest[r.Type] = max(f.Latest[r.Type], *r.Created)
		}
	}
	id, why := r.person(), r.Fault
	address, err := "", error(nil)
	if r.Email != "" {
		if address, err = survey.NormalizeAddress(r.Email); err != nil {
			why = &history.Rejection{Line: r.Line, Field: "email", Reason: err.Error()}
		}
	}
	if id != "" && address != "" {
		f.addresses[id] = address
	}
	k := f.about(address, id)
	if k != nil {
		k.learn(r)
	} else if why == nil {
		why = &history.Rejection{Line: r.Line, Field: "email", Reason: "is required: the row names nobody"}
	}
	list := f.lists[r.Kind]
	if list == nil { // the others are read again, and refused then
		return
	}
	list.In++
	switch {
	case why != nil:
		f.reject(r.Kind, file, *why)
	case address == "":
		f.pending = append(f.pending, pending{file, r.Line, r.Kind, id})
	default:
		list.Accepted++
	}
}

// person is Delighted's id of the person that a record is about.
func (r Record) person() string {
	if r.Person == "" && r.Kind == People {
		return r.ID
	}
	return r.Person
}

func (f *Facts) about(address, id string) *known {
	in, key := f.known, address
	if address == "" {
		in, key = f.unnamed, id
	}
	if key == "" {
		return nil
	}
	if in[key] == nil {
		in[key] = &known{}
	}
	return in[key]
}

// learn takes over what a record says about asking its person.
func (k *known) learn(r Record) {
	for _, at := range []*survey.Instant{r.LastSent, r.LastResponded} {
		k.ask(at)
	}
	if r.Kind == Responses { // who answered was asked, then or before
		k.ask(r.Created)
	}
	k.listed = k.listed || r.Kind == Unsubscribes || r.Kind == Bounces
	if r.Kind == Unsubscribes || r.Unsubscribed != nil {
		k.suppress(true, r.Unsubscribed)
	}
	if r.Kind == Bounces || r.Bounced != nil {
		k.suppress(false, r.Bounced)
	}
}

func (k *known) ask(at *survey.Instant) {
	if at != nil && (k.asked == nil || *at > *k.asked) {
		k.asked = at
	}
}

// suppress notes an opt-out: what somebody said comes before what a server said,
// and the first date counts.
func (k *known) suppress(unsubscribed bool, at *survey.Instant) {
	stronger := unsubscribed && !k.unsubscribed
	if at != nil && (stronger || k.since == 0 || *at < k.since) && (unsubscribed || !k.unsubscribed) {
		k.since = *at
	}
	k.unsubscribed, k.bounced = k.unsubscribed || unsubscribed, k.bounced || !unsubscribed
}

// join takes over what was said of the same person elsewhere.
func (k *known) join(other *known) {
	k.ask(other.asked)
	k.listed = k.listed || other.listed
	at := &other.since
	if other.since == 0 {
		at = nil
	}
	if other.unsubscribed || other.bounced {
		k.suppress(other.unsubscribed, at)
	}
}

// Settle puts together what was said of the same person by number and by
// address. Opt-outs of people whose address no file says are rejected.
func (f *Facts) Settle() {
	for _, id := range slices.Sorted(maps.Keys(f.unnamed)) {
		address, is := f.addresses[id]
		if !is {
			continue
		}
		f.about(address, "").join(f.unnamed[id])
	}
	for _, p := range f.pending {
		if f.addresses[p.person] != "" {
			f.lists[p.kind].Accepted++
			continue
		}
		f.reject(p.kind, p.file, history.Rejection{Line: p.line, Field: "email",
			Reason: "no file says the address of the person " + short(p.person) + "; import the people in the same run"})
	}
	f.pending, f.unnamed = nil, nil
}

func (f *Facts) reject(kind Kind, file string, why history.Rejection) {
	if list := f.lists[kind]; list != nil {
		list.Rejected++
	}
	f.rejected = append(f.rejected, Rejection{file, why})
}

// AddressOf is the address of the person that a record is about; "" where no
// file says one that koe can use.
func (f *Facts) AddressOf(r Record) string {
	if r.Email != "" {
		if address, err := survey.NormalizeAddress(r.Email); err == nil {
			return address
		}
	}
	return f.addresses[r.person()]
}

// OptOuts are the addresses that must not be mailed, in their order. CreatedAt
// is 0 where no file says since when.
func (f *Facts) OptOuts() []survey.Suppression {
	var list []survey.Suppression
	for address, k := range f.known {
		switch {
		case k.unsubscribed:
			list = append(list, survey.Suppression{Email: address, Reason: survey.Unsubscribed, CreatedAt: k.since})
		case k.bounced:
			list = append(list, survey.Suppression{Email: address, Reason: survey.Bounced, CreatedAt: k.since})
		}
	}
	slices.SortFunc(list, func(a, b survey.Suppression) int { return strings.Compare(a.Email, b.Email) })
	return list
}

// Lists are the counts of unsubscribes and bounces. Repeated are those whose
// address was suppressed before, or by another row.
func (f *Facts) Lists(before map[string]survey.Suppression) (unsubscribes, bounces ListCount) {
	unsubscribes, bounces = *f.lists[Unsubscribes], *f.lists[Bounces]
	for _, c := range []*ListCount{&unsubscribes, &bounces} {
		c.Repeated, c.Accepted = c.Accepted, 0
	}
	for address, k := range f.known {
		if _, is := before[address]; is || !k.listed {
			continue
		}
		c := &bounces
		if k.unsubscribed {
			c = &unsubscribes
		}
		c.Accepted, c.Repeated = c.Accepted+1, c.Repeated-1
	}
	return unsubscribes, bounces
}
