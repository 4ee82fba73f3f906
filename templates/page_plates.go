package templates

import (
	"maps"
	"strings"
	"sync"
	"time"

	"koe/survey"
)

// pagePlates remember pages that are the same for many customers: those of a
// personal link before anything was written on them. As with mails, nothing
// remembered can go stale: all that a page is made of is in the key, and a
// version of a template never changes.
type pagePlates struct {
	mu   sync.RWMutex
	made map[pageKey]string
}

// maxPagePlates bounds the memory, at some 4 kB each; past it all are made anew.
const maxPagePlates = 1024

type pageKey struct {
	step               Step
	workspace          survey.Workspace
	template           string
	version            int
	locale, touchpoint string
	path               string
	day                string // on which it happened, as the page names it
	preselected, score int    // noScore where there is none
	editable, named    bool
}

const noScore = -1

// key is what a page has in common with others; false where it has to be
// rendered alone: a draft, an open link's form, what somebody wrote or has
// answered, words that name the customer.
func (p SurveyPage) key() (pageKey, bool) {
	switch p.Step {
	case StepScore, StepQuestions, StepThanks:
	default:
		return pageKey{}, false
	}
	if p.Version == 0 || p.Form != "" || p.Address != "" || p.Start != "" || len(p.Query) > 0 || p.Typed != nil || len(p.Errors) > 0 ||
		len(p.Answers) > 0 || isPersonal(p.Template) {
		return pageKey{}, false
	}
	k := pageKey{step: p.Step, workspace: p.Workspace, template: p.Template.Key, version: p.Version, locale: p.Locale, touchpoint: p.Touchpoint, path: p.Path,
		preselected: noScore, score: noScore, editable: p.Editable, named: p.Named}
	if p.Preselected != nil {
		k.preselected = *p.Preselected
	}
	if p.Score != nil {
		k.score = *p.Score
	}
	if p.OccurredAt != nil {
		k.day = p.OccurredAt.Time().In(firstZone(p.Timezone, p.Workspace.Timezone)).Format(time.DateOnly)
	}
	return k, true
}

// isPersonal is true where the words of a page have placeholders.
func isPersonal(t survey.Template) bool {
	fills := func(texts ...survey.Text) bool {
		for _, text := range texts {
			for words := range maps.Values(text) {
				if strings.Contains(words, "{{") {
					return true
				}
			}
		}
		return false
	}
	for _, q := range t.Questions {
		if fills(q.Text, q.LowLabel, q.HighLabel) {
			return true
		}
		for _, o := range q.Options {
			if fills(o.Text) {
				return true
			}
		}
	}
	for _, thanks := range t.ThankYou {
		if fills(thanks.Text) || thanks.Link != nil && fills(thanks.Link.Text) {
			return true
		}
	}
	return false
}

// page is a page that was made before.
func (p *pagePlates) page(key pageKey) (string, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	page, ok := p.made[key]
	return page, ok
}

func (p *pagePlates) keep(key pageKey, page string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.made) >= maxPagePlates {
		clear(p.made)
	}
	p.made[key] = page
}
