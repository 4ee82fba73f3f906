package survey

import (
	"testing"
	"time"
	"os"
	"strings"
	"path/filepath"
	"fmt"
)

func allZones() []string {
	var out []string
	for _, dir := range []string{"/usr/share/zoneinfo"} {
		filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() { return nil }
			n := strings.TrimPrefix(p, dir+"/")
			if strings.HasPrefix(n, "right/") || strings.HasPrefix(n, "posix/") { return nil }
			if _, err := LoadZone(n); err == nil { out = append(out, n) }
			return nil
		})
	}
	return out
}

func first(wall Instant, loc *time.Location) Instant {
	t := wall.Add(-26*time.Hour).Time().In(loc)
	for {
		_, s := t.Zone()
		_, end := t.ZoneBounds()
		at := max(InstantOf(t), wall.Add(-time.Duration(s)*time.Second))
		if end.IsZero() || at < InstantOf(end) { return at }
		t = end
	}
}

func TestScratch(t *testing.T) {
	bad := map[string]int{}
	ex := map[string]string{}
	for _, z := range allZones() {
		loc, _ := time.LoadLocation(z)
		// days around transitions
		x := time.Date(1970,1,3,0,0,0,0,time.UTC).In(loc)
		for {
			_, end := x.ZoneBounds()
			if end.IsZero() || end.Year() > 2040 { break }
			x = end
			d := DayOf(InstantOf(end), loc)
			for k := d-2; k <= d+2; k++ {
				if k < 1 { continue }
				want := first(InstantOf(k.utc()), loc)
				if got := StartOf(k, loc); got != want {
					bad["start "+z]++
					ex["start "+z] = fmt.Sprint(k, " got ", got.Time().In(loc), " want ", want.Time().In(loc))
				}
				for m := 0; m < 48*60; m += 15 {
					want := first(InstantOf(k.utc()).Add(time.Duration(m)*time.Minute), loc)
					if got := WallTime(k, m, loc); got != want {
						bad["wall "+z]++
						ex["wall "+z] = fmt.Sprint(k, " ", m, " got ", got.Time().In(loc), " want ", want.Time().In(loc))
					}
				}
			}
		}
	}
	for k, n := range bad { t.Log(k, n, ex[k]) }
	for _, n := range []string{"localtime","posixrules","right/Asia/Tokyo","posix/Asia/Tokyo","Factory","leapseconds","zone.tab","asia/tokyo"} {
		_, err := LoadZone(n); t.Log(n, err)
	}
}
