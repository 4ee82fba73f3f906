package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

func TestEveryAcknowledgedRowIsStored(t *testing.T) {
	w, err := openWriter(filepath.Join(t.TempDir(), "floor.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	const rows = 300
	var all sync.WaitGroup
	ids := make([]int64, rows)
	for i := range rows {
		all.Go(func() {
			r := response{Score: i % 11, Attributes: map[string]string{"agent": "金さん"}}
			r.Customer.ExternalID = fmt.Sprint(i)
			id, err := w.insert(r)
			if err != nil {
				t.Error(err)
			}
			ids[i] = id
		})
	}
	all.Wait()
	for i, id := range ids {
		var customer, attributes string
		// The writer is idle now, so its connection may be borrowed.
		if err := w.conn.QueryRowContext(t.Context(), "SELECT external_id, attributes FROM responses WHERE id = ?", id).
			Scan(&customer, &attributes); err != nil || customer != fmt.Sprint(i) || attributes != `{"agent":"金さん"}` {
			t.Fatalf("row %d: %q %q %v", id, customer, attributes, err)
		}
	}
}
