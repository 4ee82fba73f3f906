package templates

import (
	"io"

	"koe/survey"
)

// TagsPage is what the page of tags and their rules shows.
type TagsPage struct {
	CommentFilter
	Reasons     TagTable
	Rules       []survey.TagRule
	Suggestions []TagSuggestion
	Comments    int // that suggestions were looked for in
	CSV         string
	MayEdit     bool
	Form        TagRuleForm
	Problem     string // why the form was not kept
}

// TagRuleForm is a rule as a form holds it: a keyword a line.
type TagRuleForm struct{ Tag, Keywords, Touchpoint string }

// TagSuggestion is a term that no rule looks for.
type TagSuggestion struct {
	survey.Term
	Comment string
	Search  string // the address of the comments that say it
	Rule    string // the address of a form for a rule with it
}

type tagsPageView struct {
	TagsPage
	rangeWords
	Reasons tagTableView
}

// TagsPage renders the page of tags.
func (w *Words) TagsPage(out io.Writer, d Dashboard, p TagsPage) error {
	v := staffFigures{w.staffVoice(d.Locale)}
	table, err := v.tagTable(p.Reasons)
	if err != nil {
		return err
	}
	words, err := v.rangeWords(p.Range)
	if err != nil {
		return err
	}
	return w.DashboardPage(out, "tags", d, tagsPageView{p, words, table})
}
