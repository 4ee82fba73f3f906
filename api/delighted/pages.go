package delighted

import (
	"koe/survey"
	"koe/survey/store"
)

// A list has 20 entries a page, and at most 100.
const (
	usualPage = 20
	mostPage  = 100
	lastPage  = 10_000_000
)

func (p *params) perPage() int {
	if n := p.whole("per_page", 1, mostPage); n != nil {
		return int(*n)
	}
	return usualPage
}

// leaf is a page by its number, from 1.
func (p *params) leaf() store.Leaf {
	page := p.whole("page", 1, lastPage)
	per := p.perPage()
	if page == nil {
		return store.Leaf{Limit: per}
	}
	return store.Leaf{Skip: (int(*page) - 1) * per, Limit: per}
}

// page is a page by a cursor, which its parameter page_info holds.
func (p *params) page() store.Page {
	return store.Page{Limit: p.perPage(), Cursor: p.text("page_info")}
}

// next says in a Link where the list goes on: with the same filters, in an
// absolute address without , or ; since clients split there.
func (s *Server) next(r *request, cursor string) {
	if cursor == "" {
		return
	}
	query := r.http().URL.Query()
	query.Set("page_info", cursor)
	at := s.here(r.http())
	at.RawQuery = query.Encode()
	r.Response().Header().Set("Link", "<"+at.String()+`>; rel="next"`)
}

// unix is an instant in whole seconds, nil for none.
func unix(i *survey.Instant) *int64 {
	if i == nil {
		return nil
	}
	return new(seconds(*i))
}

func seconds(i survey.Instant) int64 { return i.Time().Unix() }
