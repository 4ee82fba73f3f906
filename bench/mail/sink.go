package main

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sink is an SMTP server that takes every mail and forgets it, all but the
// first.
type sink struct {
	listener net.Listener
	taken    atomic.Int64
	first    atomic.Int64 // when, in Unix nanoseconds
	last     atomic.Int64
	once     sync.Once
	sample   []byte
	wanted   int64
	full     chan struct{}
}

func openSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s, nil
}

func (s *sink) address() string { return s.listener.Addr().String() }

// expect forgets what came and returns a channel that is closed once n mails
// have come.
func (s *sink) expect(n int) <-chan struct{} {
	s.full, s.wanted = make(chan struct{}), int64(n)
	s.first.Store(0)
	s.taken.Store(0)
	return s.full
}

func (s *sink) took() time.Duration { return time.Duration(s.last.Load() - s.first.Load()) }

func (s *sink) serve(conn net.Conn) {
	defer conn.Close()
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	say := func(line string) bool {
		_, _ = out.WriteString(line + "\r\n")          // Flush has the error
		return in.Buffered() > 0 || out.Flush() == nil // to commands that came in one go it answers in one go
	}
	if !say("220 sink") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		reply := "250 ok"
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "EHLO":
			reply = "250-sink\r\n250-PIPELINING\r\n250 8BITMIME"
		case "QUIT":
			say("221 bye")
			return
		case "DATA":
			s.first.CompareAndSwap(0, time.Now().UnixNano())
			if !say("354 go") || s.data(in) != nil {
				return
			}
			s.last.Store(time.Now().UnixNano())
			if s.taken.Add(1) == s.wanted {
				close(s.full)
			}
		}
		if !say(reply) {
			return
		}
	}
}

// data reads a mail up to its dot.
func (s *sink) data(in *bufio.Reader) error {
	var keep *bytes.Buffer
	s.once.Do(func() { keep = &bytes.Buffer{} })
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 3 && line[0] == '.' {
			break
		}
		if keep != nil {
			keep.Write(line)
		}
	}
	if keep != nil {
		s.sample = keep.Bytes()
	}
	return nil
}
