package store

import (
	"sync"

	"koe/survey"
)

// parsed keeps what was decoded from rows that never change: template versions
// and survey revisions. Nothing another process does can make an entry wrong.
type parsed struct {
	mu        sync.RWMutex
	templates map[templateRef]survey.Template
	surveys   map[surveyRef]surveyPlace
}

type templateRef struct {
	workspace int64
	template  survey.ID
	version   int
}

type surveyRef struct {
	workspace int64
	survey    survey.ID
	revision  int64
}

// maxParsed bounds the memory; past it everything is decoded anew.
const maxParsed = 2000

func (p *parsed) init() {
	p.templates = map[templateRef]survey.Template{}
	p.surveys = map[surveyRef]surveyPlace{}
}

func (p *parsed) template(ref templateRef) (survey.Template, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	t, ok := p.templates[ref]
	return t, ok
}

func (p *parsed) keepTemplate(ref templateRef, t survey.Template) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.templates) >= maxParsed {
		clear(p.templates)
	}
	p.templates[ref] = t
}

func (p *parsed) survey(ref surveyRef) (surveyPlace, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	s, ok := p.surveys[ref]
	return s, ok
}

func (p *parsed) keepSurvey(ref surveyRef, s surveyPlace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.surveys) >= maxParsed {
		clear(p.surveys)
	}
	p.surveys[ref] = s
}

// forget drops everything.
func (p *parsed) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.templates)
	clear(p.surveys)
}
