// Command mailfloor is the floor of bench/mail: it sends one message again and
// again through the library that koe uses, over kept connections, and does
// nothing else.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"sync"

	gomail "github.com/wneessen/go-mail"
)

func main() {
	address := flag.String("smtp", "", "HOST:PORT of the server")
	file := flag.String("message", "", "file with the message")
	n := flag.Int("mails", 1000, "how many")
	connections := flag.Int("connections", 4, "over how many connections")
	flag.Parse()
	if err := run(*address, *file, *n, *connections); err != nil {
		fmt.Fprintln(os.Stderr, "mailfloor:", err)
		os.Exit(1)
	}
}

func run(address, file string, n, connections int) error {
	server, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	errs := make(chan error, connections)
	for i := range connections {
		share := n / connections
		if i < n%connections {
			share++
		}
		wait.Go(func() { errs <- send(server, file, share) })
	}
	wait.Wait()
	for range connections {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func send(server netip.AddrPort, file string, n int) error {
	message, err := gomail.EMLToMsgFromFile(file)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(server.Addr().String(), gomail.WithPort(int(server.Port())), gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithoutNoop())
	if err != nil {
		return err
	}
	if err := client.DialWithContext(context.Background()); err != nil {
		return err
	}
	for range n {
		if err := client.Send(message); err != nil {
			return err
		}
	}
	return client.Close()
}
