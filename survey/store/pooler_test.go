package store_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"koe/survey/store"
	"koe/survey/store/storetest"
)

// Statements are prepared by name, but not where somebody else may serve the
// next transaction: behind a pooler, which gives numbers of its own, and where
// the address says that they are not to be kept.
func TestStatementsArePreparedWhereNoPoolerStandsBetween(t *testing.T) {
	storetest.EachKind(t, func(t *testing.T, empty func(testing.TB) string) {
		url := empty(t)
		if strings.HasPrefix(url, "sqlite:") {
			return
		}
		for name, c := range map[string]struct {
			url      string
			prepared bool
		}{
			"direct":         {url, true},
			"pooler":         {pooler(t, url), false},
			"not to be kept": {url + "&statement_cache_capacity=0", false},
			"by the address": {url + "&default_query_exec_mode=cache_describe", false},
		} {
			s, err := store.Open(t.Context(), c.url, store.Options{Secret: make([]byte, 32)})
			if err != nil {
				t.Fatal(name, err)
			}
			if n, err := s.Prepared(t.Context()); err != nil || n > 0 != c.prepared {
				t.Errorf("%s: %d prepared, %v", name, n, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// pooler passes on what PostgreSQL says, but for the number of the process, and
// returns its address.
func pooler(t *testing.T, server string) string {
	t.Helper()
	config, err := pgx.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			network, address := pgconn.NetworkAddress(config.Host, config.Port)
			back, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(back, client); _ = back.Close() }()
			go renumber(client, back)
		}
	}()
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, listener.Addr(), config.Database)
}

// renumber copies, and changes the number in BackendKeyData.
func renumber(client, back net.Conn) {
	defer func() { _ = client.Close() }()
	buffer := make([]byte, 64<<10)
	for changed := false; ; {
		n, err := back.Read(buffer)
		if err != nil {
			return
		}
		if at := bytes.Index(buffer[:n], []byte("K\x00\x00\x00\x0c")); at >= 0 && !changed && at+8 < n {
			buffer[at+7] ^= 0xff
			changed = true
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
