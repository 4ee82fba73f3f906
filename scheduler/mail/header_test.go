package mail

import (
	"regexp"
	"strings"
	"testing"
)

// Every field begins beside its name, and encoded words keep to RFC 2047.
func TestFieldsBeginBesideTheirNames(t *testing.T) {
	encoded := regexp.MustCompile(`=\?[^ ]+\?=`)
	for _, subject := range []string{"Hi", sample().Subject, strings.Repeat("長", 200), strings.Repeat("😀", 200), strings.Repeat("a", 900),
		"=?UTF-8?B?QQ==?= and  more", strings.Repeat("word ", 40) + "end", strings.Repeat("a", 60) + " é"} {
		for _, name := range []string{"", "Ana", "Ana \"A\" Müller", strings.Repeat("声", 200), strings.Repeat("long name ", 15) + "end", strings.Repeat("n", 200)} {
			m := sample()
			m.Subject, m.From.Name, m.To.Name = subject, name, name
			m.Headers = map[string]string{"X-" + strings.Repeat("n", 60): "声" + strings.Repeat("あ", 40), "X-Koe-Invitation": strings.Repeat("i", 80)}
			raw := must(m.Bytes())
			o := openMail(t, raw)
			to, err := o.header.AddressList("To")
			if o.subject != subject || err != nil || to[0].Name != name || o.header.Get("List-Unsubscribe") != "<"+m.UnsubscribeURL+">" {
				t.Errorf("subject %q, to %v (%v)", o.subject, to, err)
			}
			head, _, _ := strings.Cut(string(raw), "\r\n\r\n")
			for line := range strings.SplitSeq(head, "\r\n") {
				if strings.HasSuffix(strings.TrimSpace(line), ":") || strings.TrimSpace(line) == "" || len(line) >= 998 {
					t.Errorf("line %q", line)
				}
				for _, word := range encoded.FindAllString(line, -1) {
					if len(word) > maxWord || len(line) > maxWordLine && !strings.HasPrefix(line, "X-nnn") {
						t.Errorf("%d bytes in a line of %d: %s", len(word), len(line), line)
					}
				}
			}
		}
	}
}
