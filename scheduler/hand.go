package scheduler

import (
	"maps"
	"slices"
	"sync"

	"koe/survey/store"
)

// hand is which mails are in the pipeline. Its methods may be called at once.
type hand struct {
	mu     sync.Mutex
	claims map[store.Claim]struct{}
}

func (h *hand) add(claim store.Claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.claims[claim] = struct{}{}
}

func (h *hand) drop(claims []store.Claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, claim := range claims {
		delete(h.claims, claim)
	}
}

func (h *hand) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.claims)
}

func (h *hand) list() []store.Claim {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.claims))
}
