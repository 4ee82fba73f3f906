package history

import (
	"strings"
	"testing"
	"time"

	"koe/survey"
)

func TestDates(t *testing.T) {
	for _, c := range []struct{ format, text, zone, want string }{
		{"", "2026-11-22T09:30:00Z", "Asia/Tokyo", "2026-11-22T09:30:00.000Z"},
		{"", "2026-11-22T09:30:00.123456+09:00", "UTC", "2026-11-22T00:30:00.123Z"},
		{"", "2026-11-22", "Asia/Tokyo", "2026-11-21T15:00:00.000Z"},
		{"", " 2026-11-22 09:30 ", "Asia/Kathmandu", "2026-11-22T03:45:00.000Z"},
		{"", "2026-11-22T09:30:15", "UTC", "2026-11-22T09:30:15.000Z"},
		{"", "2026-11-22 09:30:15.5", "UTC", "2026-11-22T09:30:15.500Z"},
		{"", "2026-11-22 09:30:15 +0100", "UTC", ""},
		{"", "2026-11-22 09:30:15+01:00", "UTC", "2026-11-22T08:30:15.000Z"},
		{"", "22/11/2026", "UTC", ""},
		{"", "1/2/3", "UTC", ""},
		{"", "", "UTC", ""},
		{"%d/%m/%y", "01/09/21", "UTC", "2021-09-01T00:00:00.000Z"},
		{"%d/%m/%y", "31/12/68", "UTC", "2068-12-31T00:00:00.000Z"},
		{"%d/%m/%y", "31/12/69", "UTC", ""}, // 1969
		{"%d/%m/%y", "31/12/70", "UTC", "1970-12-31T00:00:00.000Z"},
		{"%d/%m/%y", "30/02/21", "UTC", ""},
		{"%d/%m/%y", "29/02/20", "UTC", "2020-02-29T00:00:00.000Z"},
		{"%d/%m/%y", "13/13/20", "UTC", ""},
		{"%d/%m/%y", "01/09/21 10:00", "UTC", ""},
		{"%d/%m/%y", "01/09/2021", "UTC", ""},
		{"%m/%d/%Y %I:%M:%S %p", "05/11/2016 12:00:00 AM", "America/Los_Angeles", "2016-05-11T07:00:00.000Z"},
		{"%m/%d/%Y %I:%M:%S %p", "5/1/2016   12:05:09 pm", "UTC", "2016-05-01T12:05:09.000Z"},
		{"%m/%d/%Y %I:%M:%S %p", "05/11/2016 13:00:00 AM", "UTC", ""},
		{"%D %r", "05/11/16 01:02:03 PM", "UTC", "2016-05-11T13:02:03.000Z"},
		{"%A, %d %B %Y", "Sunday, 1 march 2026", "UTC", "2026-03-01T00:00:00.000Z"},
		{"%a %b %e %T %Y", "Sun Mar  1 09:08:07 2026", "UTC", "2026-03-01T09:08:07.000Z"},
		{"%a %b %-d %Y", "Foo Mar 1 2026", "UTC", ""},
		{"%FT%T%z", "2026-03-01T00:00:00-0330", "UTC", "2026-03-01T03:30:00.000Z"},
		{"%FT%T%z", "2026-03-01T00:00:00Z", "Asia/Tokyo", "2026-03-01T00:00:00.000Z"},
		{"%FT%T%z", "2026-03-01T00:00:00", "Asia/Tokyo", ""},
		{"%F %T.%f", "2026-03-01 00:00:00.0625", "UTC", "2026-03-01T00:00:00.062Z"},
		{"%Y%m%d%H%M%S", "20260301091500", "UTC", "2026-03-01T09:15:00.000Z"},
		{"%Y-%j", "2024-366", "UTC", "2024-12-31T00:00:00.000Z"},
		{"%Y-%j", "2023-366", "UTC", ""},
		{"%s", "1767225600", "Asia/Tokyo", "2026-01-01T00:00:00.000Z"},
		{"%Y年%m月%d日", "2026年3月1日", "Asia/Tokyo", "2026-02-28T15:00:00.000Z"},
		{"100%% %F", "100% 2026-03-01", "UTC", "2026-03-01T00:00:00.000Z"},
		// midnight that does not exist, a time that the clocks jump over, one that comes twice
		{"%F", "2026-09-06", "America/Santiago", "2026-09-06T04:00:00.000Z"},
		{"%F %H:%M", "2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:00:00.000Z"},
		{"%F %H:%M", "2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z"},
		{"%F", "1970-01-01", "Asia/Tokyo", ""},
		{"%F %z", "9999-12-31 -23:00", "UTC", "9999-12-31T23:00:00.000Z"},
		{"%F %H %z", "9999-12-31 01 -23:00", "UTC", ""},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var f DateFormat
		if c.format != "" {
			if f, err = ParseDateFormat(c.format); err != nil {
				t.Fatal(c.format, err)
			}
		}
		got, err := f.Parse(c.text, zone)
		if c.want == "" != (err != nil) || err == nil && got.String() != c.want {
			t.Errorf("%q as %q in %s: %s %v, want %s", c.text, c.format, c.zone, got, err, c.want)
		}
	}
}

func TestDateFormatsThatMeanNoDay(t *testing.T) {
	for format, want := range map[string]string{
		"":                       "must name a year",
		"%d/%m":                  "must name a year, a month and a day, such as %Y-%m-%d or %d/%m/%y",
		"%H:%M":                  "must name a year",
		"%Y %j %p":               "%I and %p belong together",
		"%F %I":                  "%I and %p belong together",
		"%F %Z":                  "%Z is none of those that koe reads",
		"%F %":                   "ends with a single %",
		"%F %日":                  "%日 is none",
		"%Y-%q":                  "%q is none",
		strings.Repeat("%F", 99): "",
		strings.Repeat("x", 201): "at most 200",
	} {
		if _, err := ParseDateFormat(format); want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", format, err, want)
		}
	}
}

// FuzzDates: what is read is a date of the calendar, and says the same when it
// is written and read again.
func FuzzDates(f *testing.F) {
	for _, s := range [][2]string{{"%d/%m/%y", "01/09/21"}, {"%m/%d/%Y %I:%M:%S %p", "05/11/2016 12:00:00 AM"}, {"%FT%T.%f%z", "2026-03-01T00:00:00.5+09:00"},
		{"%A %e %B %Y %j", "Sunday 1 March 2026 60"}, {"%s", "12"}, {"", "2026-01-01 00:00"}, {"%%%Y年%b%d", "%2026年Feb30"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, format, text string) {
		var d DateFormat
		if format != "" {
			var err error
			if d, err = ParseDateFormat(format); err != nil {
				return
			}
		}
		i, err := d.Parse(text, time.UTC)
		if err != nil {
			return
		}
		if again, err := survey.ParseInstant(i.String()); err != nil || again != i {
			t.Fatalf("%q as %q is %s: %v", text, format, i, err)
		}
		y, m, day := i.Time().Date()
		plain := time.Date(y, m, day, 12, 30, 5, 0, time.UTC).Format("2006-01-02 15:04:05")
		if again, err := mustFormat("%F %T").Parse(plain, time.UTC); err != nil || again.Time().Format("2006-01-02 15:04:05") != plain {
			t.Fatalf("%s: %s %v", plain, again, err)
		}
	})
}
