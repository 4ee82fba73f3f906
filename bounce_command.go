package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/knadh/koanf/v2"

	"koe/api"
	"koe/survey/bounce"
	"koe/survey/store"
)

// takeBounce is the command that a mail server pipes what comes back to.
type takeBounce struct {
	Recipient []string `arg:"" optional:"" help:"Whom the server says the message is for, such as $${recipient} in Postfix."`
}

// What a mail server makes of a command's end (sysexits.h).
const (
	badMessage  = 65
	tryAgain    = 75
	maxTopics   = 10
	minPassword = 16
)

// Help says what is believed, and how it ends.
func (takeBounce) Help() string {
	return `It reads the standard input. A report is believed by the signed return address
or the header that koe gave the mail, or by its Message-ID; anybody can write a
mail, so an address alone changes nothing. A server may run meanwhile.

It exits with 0 where it is done or the message is no report about koe's mail,
with 65 where it is no mail message, with 75 where the mail server should try
again later: the database is away, or the mail is just being handed over.`
}

// Run takes the reports of one message.
func (b takeBounce) Run(ctx context.Context, c Config, out io.Writer) error {
	return b.take(ctx, c, os.Stdin, out)
}

func (b takeBounce) take(ctx context.Context, c Config, in io.Reader, out io.Writer) (err error) {
	reports, err := bounce.Read(in, b.Recipient...)
	if errors.Is(err, bounce.ErrNoMessage) {
		return exitError{err, badMessage}
	}
	if err != nil {
		return exitError{err, tryAgain}
	}
	for i := range reports {
		reports[i].Email = "" // nobody has proved it
	}
	var taken []store.BounceTaken
	if len(reports) > 0 {
		s, err := openKept(ctx, c)
		if err != nil {
			return exitError{err, tryAgain}
		}
		taken, err = s.TakeBouncesAnywhere(ctx, reports)
		if err := errors.Join(err, s.Close()); err != nil {
			return exitError{err, tryAgain}
		}
	}
	applied := 0
	for _, t := range taken {
		if t.Outcome == store.BounceApplied {
			applied++
		}
		if t.Paused != "" {
			_, _ = fmt.Fprintf(os.Stderr, "koe: sending of workspace %d has paused itself: %s\n", t.Workspace, t.Paused) // it is kept all the same
		}
	}
	_, err = fmt.Fprintf(out, "reports: %d, applied: %d\n", len(taken), applied)
	return err
}

// bounceDoors read whose reports are believed.
func bounceDoors(err *error, k *koanf.Koanf) api.BounceDoors {
	return api.BounceDoors{
		SESTopics: read(err, sesVariable, k.String(sesVariable), snsTopics),
		Postmark:  read(err, postmarkVariable, k.String(postmarkVariable), longPassword),
		SendGrid:  read(err, sendgridVariable, k.String(sendgridVariable), verificationKey),
	}
}

var topicShape = regexp.MustCompile(`^arn:aws(-cn|-us-gov)?:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$`)

func snsTopics(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	topics := strings.Split(text, ",")
	for i, topic := range topics {
		if topics[i] = strings.TrimSpace(topic); !topicShape.MatchString(topics[i]) || len(topics) > maxTopics {
			return nil, fmt.Errorf("must be 1 to %d ARNs such as arn:aws:sns:eu-west-1:123456789012:bounces, between commas", maxTopics)
		}
	}
	return topics, nil
}

func longPassword(text string) (string, error) {
	if text != "" && len(text) < minPassword {
		return "", fmt.Errorf("must have at least %d characters; make one with: openssl rand -hex 32", minPassword)
	}
	return text, nil
}

func verificationKey(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	_, err := bounce.SendGridKey(text)
	return text, err
}
