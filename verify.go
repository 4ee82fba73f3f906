package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

type verify struct{}

// Run recounts everything, of all workspaces, and prints what differs, one line
// each; then it is an error. It works beside a running server.
func (verify) Run(ctx context.Context, c Config, out io.Writer) (err error) {
	s, err := openKept(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	checked, err := s.Verify(ctx)
	if err != nil {
		return err
	}
	for _, fault := range checked.Faults {
		if _, err := fmt.Fprintln(out, fault); err != nil {
			return err
		}
	}
	if n := int64(len(checked.Faults)) + checked.More; n > 0 {
		return fmt.Errorf("%d differences, of which %d are listed", n, len(checked.Faults))
	}
	_, err = fmt.Fprintf(out, "all is as the rows say: %d workspaces, %d responses, %d invitations that went out, %d tallies\n",
		checked.Workspaces, checked.Responses, checked.Invitations, checked.Tallies)
	return err
}
