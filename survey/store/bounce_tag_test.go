package store_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"koe/survey"
	"koe/survey/store/storetest"
)

func TestABounceTagNamesItsInvitationAlone(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	id := survey.ID(uuid.Must(uuid.NewV7()))
	for _, workspace := range []int64{1, 127, 128, 70_000, 1 << 62} {
		tag := s.BounceTag(workspace, id)
		if len(tag) > 56 || strings.ToLower(tag) != tag || tag != s.BounceTag(workspace, id) {
			t.Errorf("the tag of workspace %d is %q", workspace, tag)
		}
		for _, seen := range []string{tag, strings.ToUpper(tag)} {
			if w, v, ok := s.ParseBounceTag(seen); !ok || w != workspace || v != id {
				t.Errorf("%q reads as %d %s %v", seen, w, v, ok)
			}
		}
		for i := range tag {
			forged := []byte(tag)
			forged[i] = 'a' + (forged[i]-'a'+1)%26
			if _, _, ok := s.ParseBounceTag(string(forged)); ok && string(forged) != tag && i < len(tag)-1 {
				t.Errorf("the forged %q passes for %q", forged, tag)
			}
		}
	}
	tag := s.BounceTag(1, id)
	for _, bad := range []string{"", tag[:20], tag + "a", tag + tag, strings.Repeat("a", 45), "ſ" + tag[1:], " " + tag, strings.Repeat("a", 1<<20)} {
		if _, _, ok := s.ParseBounceTag(bad); ok {
			t.Errorf("%.60q passes", bad)
		}
	}
}
