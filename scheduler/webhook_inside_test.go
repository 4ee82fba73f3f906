package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"koe/scheduler"
	"koe/survey"
	"koe/survey/store/storetest/battery"
)

// inside are hosts that lead into the network that koe is in; PORT is that of
// a server that listens on every address of this machine.
var inside = []string{
	"127.0.0.1", "127.1", "127.0.1", "127.000.000.001", "127.255.255.254",
	"2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1", "0177.1", "00000177.0.0.1",
	"0.0.0.0", "0", "0x0", "00",
	"localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "127.0.0.1.",
	"[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[0:0:0:0:0:0:0:0]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::ffff:0.0.0.0]", "[::127.0.0.1]", "[::7f00:1]",
	"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:7f00:1::]",
	"10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[fc00::1]",
	"192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]",
	"rebound.example.com", "four.example.com", "six.example.com", "mapped.example.com", "nat.example.com", "both.example.com", "metadata.example.com",
}

// liars are what names of others resolve to. Every other name is this machine.
var liars = map[string][]string{
	"rebound.example.com.": {"127.0.0.1"}, "four.example.com.": {"127.0.0.1"}, "six.example.com.": {"::1"},
	"mapped.example.com.": {"::ffff:127.0.0.1"}, "nat.example.com.": {"64:ff9b::7f00:1"}, "both.example.com.": {"127.0.0.1", "::1", "10.0.0.1"},
	"metadata.example.com.": {"169.254.169.254", "fd00:ec2::254"},
}

// lying is a resolver whose name server answers every question with an address
// inside.
func lying(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			if reply, err := lie(buffer[:n]); err == nil {
				_, _ = server.WriteTo(reply, from)
			}
		}
	}()
	var dialer net.Dialer
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func lie(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, errors.Join(err, errors.New("not one question"))
	}
	asked := m.Questions[0]
	addresses, known := liars[strings.ToLower(asked.Name.String())]
	if !known {
		addresses = []string{"127.0.0.1", "::1"}
	}
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	for _, address := range addresses {
		ip := netip.MustParseAddr(address)
		head := dnsmessage.ResourceHeader{Name: asked.Name, Type: asked.Type, Class: dnsmessage.ClassINET, TTL: 1}
		switch {
		case asked.Type == dnsmessage.TypeA && ip.Is4():
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: ip.As4()}})
		case asked.Type == dnsmessage.TypeAAAA && !ip.Is4():
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return reply.Pack()
}

// watched listens on every address of this machine and counts who connects.
func watched(t *testing.T) (port string, connections *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	connections = &atomic.Int64{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_, _ = conn.Read(make([]byte, 1<<16)) // an answer before the question is none
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, connections
}

// TestNoWebhookLeadsInside tells an event to every spelling of an address
// inside, by the machine's resolver and by a name server that lies.
func TestNoWebhookLeadsInside(t *testing.T) {
	t.Parallel()
	if len(inside) < 40 {
		t.Fatalf("only %d spellings", len(inside))
	}
	for name, resolver := range map[string]*net.Resolver{"the machine's resolver": nil, "a resolver that lies": lying(t)} {
		t.Run(name, func(t *testing.T) {
			d := alone(t, nil)
			port, connections := watched(t)
			table, hooks := []string{fmt.Sprintf("%-34s %s", "host", "what became of it")}, []*hook{}
			for _, host := range inside {
				h := &hook{name: host, url: "http://" + host + ":" + port + "/"}
				var err error
				h.webhook, _, err = d.store.CreateWebhook(t.Context(), d.by, survey.Webhook{URL: h.url, Events: survey.Events()})
				if err != nil {
					table = append(table, fmt.Sprintf("%-34s refused: %v", host, err))
					continue
				}
				hooks = append(hooks, h)
			}
			v := d.ask("chat", nil)
			d.answered(v, 1)
			d.run(func(o *scheduler.Options) { o.Resolver, o.DeliveryTime = resolver, 10*time.Second })
			guarded := 0
			d.until("every webhook was tried", func() bool {
				for _, h := range hooks {
					if d.deliveries(h)[0].Attempts == 0 {
						return false
					}
				}
				return true
			})
			for _, h := range hooks {
				got := d.deliveries(h)[0]
				if got.LastError == nil || got.Status != nil {
					t.Errorf("%s: answered %v", h.name, got.Status)
					continue
				}
				if strings.Contains(*got.LastError, "not public") {
					guarded++
				}
				table = append(table, fmt.Sprintf("%-34s %s", h.name, *got.LastError))
			}
			battery.Report(t, "%d spellings, %d connections inside, %d turned away when dialled:\n%s", len(inside), connections.Load(), guarded, strings.Join(table, "\n"))
			if n := connections.Load(); n != 0 {
				t.Errorf("%d connections inside", n)
			}
			if guarded < len(hooks)/2 {
				t.Errorf("only %d of %d were turned away by the guard", guarded, len(hooks))
			}
		})
	}
}

// The proof above can fail: where loopback is allowed, a name of it gets
// through, and nothing beyond loopback does.
func TestLoopbackMayBeAllowed(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	port, connections := watched(t)
	near := d.subscribe(&hook{name: "near", url: "http://localhost:" + port})
	far := d.subscribe(&hook{name: "far", url: "http://metadata.example.com:" + port})
	v := d.ask("chat", nil)
	d.answered(v, 1)
	d.run(func(o *scheduler.Options) { delivering(o); o.Resolver = lying(t) })
	d.round(near, far)
	if got := d.deliveries(near)[0]; got.State != "delivered" || connections.Load() != 1 {
		t.Errorf("loopback: %+v, %d connections", got, connections.Load())
	}
	if got := d.deliveries(far)[0]; got.LastError == nil || !strings.Contains(*got.LastError, "not public") {
		t.Errorf("metadata: %+v", got)
	}
}
