package storetest

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Gate stands before a PostgreSQL database and can be shut, as if the server
// were away. It is open at first.
type Gate struct {
	network, server string
	mu              sync.Mutex
	listener        net.Listener
	conns           []net.Conn
	shut            atomic.Bool
}

// BehindGate returns a new, empty database as Postgres does, by an address that
// leads through a gate.
func BehindGate(t testing.TB) (*Gate, string) {
	t.Helper()
	config, err := pgx.ParseConfig(Postgres(t))
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
		if g.IsShut() {
			_ = in.Close()
			continue
		}
		out, err := net.Dial(g.network, g.server)
		if err != nil {
			_ = in.Close()
			continue
		}
		g.mu.Lock()
		g.conns = append(g.conns, in, out)
		g.mu.Unlock()
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	}
}

// Shut shuts the gate and cuts what goes through it.
func (g *Gate) Shut() {
	g.shut.Store(true)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		_ = c.Close()
	}
}

// IsShut is true until the gate is opened again.
func (g *Gate) IsShut() bool { return g.shut.Load() }

// Open opens the gate.
func (g *Gate) Open() { g.shut.Store(false) }
