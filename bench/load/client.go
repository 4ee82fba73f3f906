package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is a request with places for what differs from turn to turn.
type call struct {
	line  []string // the request line, cut at {target}
	head  string   // the headers up to the value of Content-Length
	body  []string // the body between its numbers
	fixed int      // the body's length without them
}

func newCall(u *url.URL, method, body string, extra []string) call {
	uri := strings.ReplaceAll(u.RequestURI(), "%7Btarget%7D", "{target}")
	c := call{line: strings.Split(method+" "+uri+" HTTP/1.1\r\n", "{target}"), head: "Host: " + u.Host + "\r\n",
		body: strings.Split(body, "{n}")}
	for _, h := range extra {
		c.head += h + "\r\n"
	}
	if body != "" && !strings.Contains(strings.ToLower(c.head), "\r\ncontent-type:") {
		c.head += "Content-Type: application/json\r\n"
	}
	c.head += "Content-Length: "
	c.fixed = len(strings.Join(c.body, ""))
	return c
}

// write appends request n to out.
func (c call) write(out []byte, n int, target string) []byte {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], int64(n), 10)
	for i, part := range c.line {
		if i > 0 {
			out = append(out, target...)
		}
		out = append(out, part...)
	}
	out = append(out, c.head...)
	out = strconv.AppendInt(out, int64(c.fixed+(len(c.body)-1)*len(number)), 10)
	out = append(out, "\r\n\r\n"...)
	for i, part := range c.body {
		if i > 0 {
			out = append(out, number...)
		}
		out = append(out, part...)
	}
	return out
}

// client is one connection. It keeps every turn's time.
type client struct {
	conn    net.Conn
	in      *bufio.Reader
	turn    []call
	targets []string
	out     []byte // the request being sent
	times   []time.Duration
	not2xx  int
	example string
}

func dial(host string, turn []call, targets []string) (*client, error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReader(conn), turn: turn, targets: targets}, nil
}

// send takes count turns, one after the other, numbered from first.
func (c *client) send(first, count int) error {
	c.times = make([]time.Duration, 0, count)
	for n := first; n < first+count; n++ {
		target := ""
		if len(c.targets) > 0 {
			target = c.targets[n]
		}
		began := time.Now()
		for _, one := range c.turn {
			c.out = one.write(c.out[:0], n, target)
			if _, err := c.conn.Write(c.out); err != nil {
				return fmt.Errorf("send: %w", err)
			}
			status, body, err := c.answer()
			if err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if status < 200 || status > 299 {
				c.refused(status, body)
				break
			}
		}
		c.times = append(c.times, time.Since(began))
	}
	return nil
}

func (c *client) refused(status int, body []byte) {
	c.not2xx++
	if c.example == "" {
		c.example = fmt.Sprintf("%d %.300s", status, body)
	}
}

var contentLength = []byte("content-length:")

// answer reads one answer, which must say how long it is, as answers of a few
// kilobytes do.
func (c *client) answer() (status int, body []byte, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("not HTTP/1.1: %.40q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, fmt.Errorf("not a status: %.40q", line)
	}
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if n := len(contentLength); len(line) > n && bytes.EqualFold(line[:n], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[n:]))); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 {
		return 0, nil, fmt.Errorf("an answer with status %d without Content-Length", status)
	}
	if status >= 200 && status <= 299 {
		_, err = c.in.Discard(length)
		return status, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.in, body)
	return status, body, err
}
