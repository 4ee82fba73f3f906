package survey

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func TestParseID(t *testing.T) {
	const text = "0190163d-8694-739b-aea5-966c26f8ad91"
	id, err := ParseID(text)
	if err != nil || id.String() != text || id.IsZero() || id[0] != 0x01 || id[15] != 0x91 {
		t.Errorf("%s, %v", id, err)
	}
	if zero, err := ParseID("00000000-0000-0000-0000-000000000000"); err != nil || !zero.IsZero() {
		t.Errorf("%s, %v", zero, err)
	}
	for _, wrong := range []string{"", "0190163D-8694-739B-AEA5-966C26F8AD91", "0190163d8694739baea5966c26f8ad91",
		"{0190163d-8694-739b-aea5-966c26f8ad91}", "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad911",
		"0190163g-8694-739b-aea5-966c26f8ad91", "0190163d_8694-739b-aea5-966c26f8ad91", " 190163d-8694-739b-aea5-966c26f8ad91",
		"0190163d-8694-739b-aea5-966c26f8ad9\x00", "urn:uuid:0190163d-8694-739b-aea5-966", "--------0000-0000-0000-000000000000"} {
		if id, err := ParseID(wrong); err == nil || !id.IsZero() {
			t.Errorf("%q is read as %s", wrong, id)
		}
		if kept := id; kept.UnmarshalText([]byte(wrong)) == nil || kept != id {
			t.Errorf("%q is unmarshalled as %s", wrong, kept)
		}
	}
}

func TestIDProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "a"))
		b := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "b"))
		if again, err := ParseID(a.String()); err != nil || again != a {
			t.Fatalf("%s is read as %s, %v", a, again, err)
		}
		if (string(a[:]) < string(b[:])) != (a.String() < b.String()) {
			t.Fatalf("%s and %s sort otherwise than their bytes", a, b)
		}
		written, err := json.Marshal(map[ID]ID{a: b})
		if err != nil {
			t.Fatal(err)
		}
		var read map[ID]ID
		if err := json.Unmarshal(written, &read); err != nil || read[a] != b {
			t.Fatalf("%s is read as %v, %v", written, read, err)
		}
	})
}
