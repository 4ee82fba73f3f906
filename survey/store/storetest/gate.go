package storetest

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Gate stands before a PostgreSQL database and can be shut: the database is
// away then, for whoever comes through the gate.
type Gate struct {
	network, server string
	listener        net.Listener
	mu              sync.Mutex
	shut            bool
	conns           []net.Conn
}

// Behind puts a gate before a database and returns the address that leads
// through it. It is taken away with the test.
func Behind(t testing.TB, database string) (*Gate, string) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{network: "tcp", server: net.JoinHostPort(config.Host, fmt.Sprint(config.Port))}
	if strings.HasPrefix(config.Host, "/") {
		g.network, g.server = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", config.Host, config.Port)
	}
	if g.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go g.serve()
	t.Cleanup(func() { _ = g.listener.Close(); g.Shut() })
	through := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: g.listener.Addr().String(),
		Path: "/" + config.Database, RawQuery: "sslmode=disable"}
	return g, through.String()
}

func (g *Gate) serve() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial(g.network, g.server)
		if err != nil {
			_ = in.Close()
			continue
		}
		g.mu.Lock()
		if g.shut {
			_, _ = in.Close(), out.Close()
		} else {
			g.conns = append(g.conns, in, out)
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
		g.mu.Unlock()
	}
}

// Shut lets nobody through, and cuts off who is.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.conns = nil
}

// Open lets everybody through again.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// IsShut is true while nobody gets through.
func (g *Gate) IsShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}
