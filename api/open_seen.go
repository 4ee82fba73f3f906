package api

import (
	"context"
	"sync"

	"koe/survey"
)

// seenLinks remember how open links were set when this process last showed
// them, for the pages that say what koe cannot do just now: who may frame such a
// page, and whether it stands on a kiosk. What is remembered may be out of date;
// nothing but an error is shown by it.
type seenLinks struct {
	mu    sync.Mutex
	links map[string]survey.OpenLink // by slug
}

func (s *seenLinks) remember(link survey.OpenLink) {
	if link.Slug == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.links[link.Slug]; !known && len(s.links) >= maxLimiters {
		clear(s.links)
	}
	s.links[link.Slug] = link
}

// link is false where this process has not shown the link yet.
func (s *seenLinks) link(slug string) (survey.OpenLink, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	link, known := s.links[slug]
	return link, known
}

// linkBehind is the link that an error page is about, as far as that can be
// known: the database is asked where it is not the database that is away.
func (a *api) linkBehind(ctx context.Context, slug string, kind survey.Kind) survey.OpenLink {
	link, known := a.seen.link(slug)
	if known || kind != survey.TooMany {
		return link
	}
	page, err := a.Store.OpenBySlug(ctx, slug)
	if err == nil {
		a.seen.remember(page.Link)
	}
	return page.Link
}
