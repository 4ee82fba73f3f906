package storetest

import "koe/survey/store"

// Says gives a reply whatever its token opens.
func Says(r store.Reply) func(store.Opened) (store.Reply, error) {
	return func(store.Opened) (store.Reply, error) { return r, nil }
}
