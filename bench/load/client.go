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

// client is one connection. It keeps every request's time.
type client struct {
	conn    net.Conn
	in      *bufio.Reader
	head    string   // the request up to the value of Content-Length
	body    []string // the body between its numbers
	fixed   int      // the body's length without them
	out     []byte   // the request being sent
	times   []time.Duration
	not2xx  int
	example string
}

// dial connects and makes ready what all requests share.
func dial(u *url.URL, method, body string, extra []string) (*client, error) {
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	head := method + " " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\n"
	for _, h := range append(extra, "Content-Type: application/json") {
		head += h + "\r\n"
	}
	parts := strings.Split(body, "{n}")
	return &client{
		conn: conn, in: bufio.NewReader(conn),
		head: head + "Content-Length: ", body: parts, fixed: len(strings.Join(parts, "")),
	}, nil
}

// send sends count requests, one after the other, numbered from first.
func (c *client) send(first, count int) error {
	c.times = make([]time.Duration, 0, count)
	for n := first; n < first+count; n++ {
		began := time.Now()
		if _, err := c.conn.Write(c.request(n)); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		status, body, err := c.answer()
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		c.times = append(c.times, time.Since(began))
		if status < 200 || status > 299 {
			c.not2xx++
			if c.example == "" {
				c.example = fmt.Sprintf("%d %.300s", status, body)
			}
		}
	}
	return nil
}

// request is the bytes of request n, valid until the next call.
func (c *client) request(n int) []byte {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], int64(n), 10)
	c.out = append(c.out[:0], c.head...)
	c.out = strconv.AppendInt(c.out, int64(c.fixed+(len(c.body)-1)*len(number)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	for i, part := range c.body {
		if i > 0 {
			c.out = append(c.out, number...)
		}
		c.out = append(c.out, part...)
	}
	return c.out
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
