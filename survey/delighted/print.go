package delighted

import (
	"fmt"
	"io"
	"strings"
)

// listed is how many of a list people are shown; the file has them all.
const listed = 100

// Print writes the reconciliation for people.
func (r Reconciliation) Print(w io.Writer) error {
	out := &printer{w: w}
	if r.DryRun {
		out.line("nothing is kept: this was a dry run")
	}
	for _, f := range r.Files {
		out.line("read %s: %s", f.Name, f.words())
	}
	p := r.People
	out.line("people            in %d = accepted %d + same address %d + without address %d + rejected %d; %d more from answers",
		p.In, p.Accepted, p.Merged, p.Unreachable, p.Rejected, p.Others)
	out.list("unsubscribes", r.Unsubs)
	out.list("bounces", r.Bounced)
	for _, s := range r.Surveys {
		s.print(out)
	}
	out.line("never mailed: %d addresses", len(r.Suppressed))
	for i, s := range r.Suppressed[:min(len(r.Suppressed), listed)] {
		out.line("  %s  %s since %s", s.Email, s.Reason, s.Since)
		out.more(i, len(r.Suppressed))
	}
	out.line("not asked again before the quiet period of %s ends: %d people", r.Quiet.Period, len(r.Quiet.People))
	for i, q := range r.Quiet.People[:min(len(r.Quiet.People), listed)] {
		out.line("  %s  asked %s, until %s", q.Email, q.Asked, q.Until)
		out.more(i, len(r.Quiet.People))
	}
	out.line("rejected %d", r.Rejected)
	for i, why := range r.Rejections[:min(len(r.Rejections), listed)] {
		field := ""
		if why.Field != "" {
			field = ", " + why.Field
		}
		out.line("  %s line %d%s: %s", why.File, why.Line, field, why.Reason)
		out.more(i, len(r.Rejections))
	}
	for _, note := range r.Notes {
		out.line("note: %s", note)
	}
	return out.err
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) list(name string, c ListCount) {
	p.line("%-17s in %d = accepted %d + repeated %d + rejected %d", name, c.In, c.Accepted, c.Repeated, c.Rejected)
}

// more says behind the last that is listed how many are not.
func (p *printer) more(i, all int) {
	if i == listed-1 && all > listed {
		p.line("  and %d more; --report FILE lists them all", all-listed)
	}
}

func (f FileCount) words() string {
	var parts []string
	for _, kind := range []Kind{People, Unsubscribes, Bounces, Responses, Metrics} {
		if n := f.Rows[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func (s SurveyCount) print(out *printer) {
	out.line("survey %s (%s)  in %d = accepted %d + repeated %d + without score %d + rejected %d", s.Survey, strings.Join(s.Types, ", "),
		s.In, s.Accepted, s.Repeated, s.Blank, s.Rejected)
	if s.From != nil {
		out.line("  from %s to %s; %d without a person", s.From, s.To, s.Unnamed)
	}
	if s.Score.Score != nil {
		out.line("  %s %d of %d responses", s.Metric, *s.Score.Score, s.Score.Responses)
	}
	switch d := s.Delighted; {
	case d == nil:
		out.line("  no metrics of Delighted's to compare with")
	case d.Agrees == "all":
		out.line("  Delighted's own metrics (%s) agree", d.File)
	case d.Agrees != "":
		out.line("  Delighted's own metrics (%s) agree with the last 30 days, which they are about", d.File)
	default:
		out.line("  Delighted's own metrics (%s) differ: %s", d.File, strings.Join(d.Differs, "; "))
	}
}
