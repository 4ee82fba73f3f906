package scheduler

import (
	"fmt"
	"testing"
	"time"
)

func TestEveryDomainHasItsOwnPace(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	caps := newDomainCaps(4)
	for i := range 5 {
		at := caps.may("a.example", now)
		if i == 0 != at.IsZero() || i > 0 && !at.Equal(now.Add(time.Duration(i)*250*time.Millisecond)) {
			t.Errorf("number %d may go at %s", i, at)
		}
	}
	if at := caps.may("b.example", now); !at.IsZero() {
		t.Errorf("another domain waits until %s", at)
	}
	went := 0
	for ms := range 1000 { // whoever asks again and again gets no more than the cap
		if caps.may("a.example", now.Add(time.Duration(ms)*time.Millisecond)).IsZero() {
			went++
		}
	}
	if went != 4 && went != 3 {
		t.Errorf("%d within a second", went)
	}
	back := now.Add(-time.Hour) // a clock that is set back
	if at := caps.may("a.example", back); !at.IsZero() {
		t.Errorf("the clock was set back by an hour, and the domain waits until %s", at)
	}
	for i := range maxDomains + 10 {
		caps.may(fmt.Sprintf("%d.example", i), now)
	}
	if len(caps.of) > maxDomains {
		t.Errorf("%d domains are kept", len(caps.of))
	}
	none := newDomainCaps(0)
	for range 100 {
		if !none.may("a.example", now).IsZero() {
			t.Fatal("a cap where there is none")
		}
	}
}
