package delighted

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"koe/survey"
	"koe/survey/history"
)

// Facts are what all files say together about people: an answer names its
// person by a number that another file explains, and the last of several dates
// counts. They hold a few words for each person, whatever the files' size.
type Facts struct {
	Types  map[string]int64          // how many answers there are of each survey_type
	Latest map[string]survey.Instant // and when the last of them was given

	addresses map[string][]string // by Delighted's id of the person: all that files say
	known     map[string]*known   // by address
	unnamed   map[string]*known   // by id: what rows without an address say
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
	listed       Kind           // the list of opt-outs that counts it; "" for none
	person       bool           // a list of people has it
	told         bool           // a person was made of it
}

// pending is an opt-out of somebody whose address is not said in its row.
type pending struct {
	file   string
	line   int
	kind   Kind
	person string
	why    *history.Rejection // what is wrong with the row besides
	lost   bool               // it says somebody, in words that koe cannot read
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
	return &Facts{Types: map[string]int64{}, Latest: map[string]survey.Instant{}, addresses: map[string][]string{}, known: map[string]*known{},
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
	addresses, err := r.addresses()
	if err != nil && why == nil {
		why = &history.Rejection{Line: r.Line, Field: "email", Reason: err.Error()}
	}
	for _, address := range addresses {
		f.named(id, address)
		f.about(address, "").learn(r)
	}
	if len(addresses) == 0 && id != "" {
		f.about("", id).learn(r)
	}
	if f.lists[r.Kind] != nil { // the others are read again, and refused then
		f.count(file, r, addresses, why)
	}
}

// named notes that a person has an address, one of several it may be.
func (f *Facts) named(id, address string) {
	if id != "" && !slices.Contains(f.addresses[id], address) {
		f.addresses[id] = append(f.addresses[id], address)
	}
}

// count counts a row of a list of opt-outs, or puts it off until it is known
// whom it is about.
func (f *Facts) count(file string, r Record, addresses []string, why *history.Rejection) {
	f.lists[r.Kind].In++
	id, said := r.person(), r.Email != "" || r.Unsubscribed != nil || r.Bounced != nil
	switch {
	case len(addresses) > 0 && why == nil:
		f.accept(r.Kind, addresses[0])
	case len(addresses) > 0:
		f.reject(r.Kind, file, *why)
	case id == "" && !said:
		f.reject(r.Kind, file, history.Rejection{Line: r.Line, Field: "email", Reason: "is required: the row names nobody"})
	default:
		lost := id == "" || r.Email != "" || r.Fault != nil && r.Fault.Field == ""
		f.pending = append(f.pending, pending{file, r.Line, r.Kind, id, why, lost})
	}
}

// accept counts a row of a list for an address; an unsubscribe before a bounce.
func (f *Facts) accept(kind Kind, address string) {
	f.lists[kind].Accepted++
	if k := f.known[address]; k.listed != Unsubscribes {
		k.listed = kind
	}
}

// optsOut is true where a record says that its person must not be mailed.
func (r Record) optsOut() bool {
	return r.Kind == Unsubscribes || r.Kind == Bounces || r.Unsubscribed != nil || r.Bounced != nil
}

// addresses are those that a record names: one, or those that can be read in an
// opt-out whose address is not one. The error says that it is not one.
func (r Record) addresses() ([]string, error) {
	if r.Email == "" {
		return nil, nil
	}
	address, err := survey.NormalizeAddress(r.Email)
	switch {
	case err == nil:
		return []string{address}, nil
	case r.optsOut():
		return addressesIn(r.Email), err
	}
	return nil, err
}

// addressesIn are the addresses among other words: Ana <ana@example.com>.
func addressesIn(words string) (list []string) {
	between := func(c rune) bool {
		return unicode.IsSpace(c) || !unicode.IsGraphic(c) || strings.ContainsRune("<>()[],;:|\"", c)
	}
	for word := range strings.FieldsFuncSeq(words, between) {
		address, err := survey.NormalizeAddress(strings.Trim(word, "'."))
		if err == nil && !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	return list
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
	k.person = k.person || r.Kind == People
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
// and the first date counts; 0 is none.
func (k *known) suppress(unsubscribed bool, at *survey.Instant) {
	stronger := unsubscribed && !k.unsubscribed
	if at != nil && *at != 0 && (stronger || k.since == 0 || *at < k.since) && (unsubscribed || !k.unsubscribed) {
		k.since = *at
	}
	k.unsubscribed, k.bounced = k.unsubscribed || unsubscribed, k.bounced || !unsubscribed
}

// join takes over what was said of the same person elsewhere.
func (k *known) join(other *known) {
	k.ask(other.asked)
	if other.unsubscribed || other.bounced {
		k.suppress(other.unsubscribed, &other.since)
	}
}

// Settle puts together what was said of the same person by number and by
// address: who unsubscribed did so with all their addresses, while a bounce is of
// the address that it names. Opt-outs of people whose address no file says are
// rejected.
//
// The error lists the opt-outs in which nobody can be read: who they are could
// be mailed, so that nothing may be kept then.
func (f *Facts) Settle() error {
	for _, id := range slices.Sorted(maps.Keys(f.addresses)) {
		all := f.addresses[id]
		slices.Sort(all) // in whatever order the files came
		who := f.unnamed[id]
		if who == nil {
			who = &known{}
		}
		for _, address := range all {
			if k := f.known[address]; k.unsubscribed {
				who.suppress(true, &k.since)
			}
		}
		for _, address := range all {
			f.known[address].join(who)
		}
	}
	var lost []error
	for _, p := range f.pending {
		switch all := f.addresses[p.person]; {
		case len(all) > 0 && p.why == nil:
			f.accept(p.kind, all[0])
		case len(all) > 0:
			f.reject(p.kind, p.file, *p.why)
		case p.lost:
			lost = append(lost, survey.Errorf(survey.Invalid, "", "%s: line %d: somebody opted out here, and no address can be read; "+
				"mend the row, or take it out where koe need not know", p.file, p.line))
		default:
			f.reject(p.kind, p.file, history.Rejection{Line: p.line, Field: "email",
				Reason: "no file says the address of the person " + short(p.person) + "; import the people in the same run"})
		}
	}
	f.pending, f.unnamed = nil, nil
	if more := len(lost) - 20; more > 0 {
		lost = append(lost[:20], fmt.Errorf("and %d more such rows", more))
	}
	return errors.Join(lost...)
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
	return f.addressOf(r.person())
}

// addressOf is a person's address: the one that a list of people has, before one
// that others say.
func (f *Facts) addressOf(id string) string {
	all := f.addresses[id]
	if len(all) == 0 {
		return ""
	}
	i := slices.IndexFunc(all, func(address string) bool { return f.known[address].person })
	return all[max(i, 0)]
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
// address was suppressed before, or by another row; who bounced before and
// unsubscribed now is new.
func (f *Facts) Lists(before map[string]survey.Suppression) (unsubscribes, bounces ListCount) {
	unsubscribes, bounces = *f.lists[Unsubscribes], *f.lists[Bounces]
	for _, c := range []*ListCount{&unsubscribes, &bounces} {
		c.Repeated, c.Accepted = c.Accepted, 0
	}
	for address, k := range f.known {
		kept, is := before[address]
		if k.listed == "" || is && !(k.listed == Unsubscribes && survey.Unsubscribed.Outweighs(kept.Reason)) {
			continue
		}
		c := &bounces
		if k.listed == Unsubscribes {
			c = &unsubscribes
		}
		c.Accepted, c.Repeated = c.Accepted+1, c.Repeated-1
	}
	return unsubscribes, bounces
}
