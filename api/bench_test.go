package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"koe/api"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/templates"
)

// BenchmarkCreateResponse posts answers of ever new customers, 64 at a time,
// without a network between.
func BenchmarkCreateResponse(b *testing.B) {
	words, err := templates.New()
	if err != nil {
		b.Fatal(err)
	}
	s := storetest.Open(b, storetest.SQLite(b))
	by := storetest.Default(b, s)
	_, key, err := s.CreateKey(b.Context(), by, "bench", store.Editor)
	if err != nil {
		b.Fatal(err)
	}
	v, err := s.CreateSurvey(b.Context(), by, survey.Survey{Name: "bench", Template: "nps", Touchpoint: "bench",
		Channel: survey.LinkOnly, Trigger: survey.Trigger{Type: survey.OnManual}})
	if err != nil {
		b.Fatal(err)
	}
	handler := api.New(api.Options{Store: s, Words: words, BaseURL: "http://koe.example.com"})
	var n atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			r := httptest.NewRequest(http.MethodPost, "/v1/responses", strings.NewReader(fmt.Sprintf(
				`{"survey_id":"%s","score":%d,"customer":{"external_id":"c-%d","email":"c%d@example.com"},"attributes":{"agent":"Kim"},"comment":"Quick and kind."}`,
				v.ID, i%11, i, i)))
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusCreated {
				b.Errorf("%d %s", w.Code, w.Body)
				return
			}
		}
	})
}

// BenchmarkAnsweredPage opens personal links and answers them, 64 at a time,
// without a network between.
func BenchmarkAnsweredPage(b *testing.B) {
	words, err := templates.New()
	if err != nil {
		b.Fatal(err)
	}
	s := storetest.Open(b, storetest.SQLite(b))
	by := storetest.Default(b, s)
	v, err := s.CreateSurvey(b.Context(), by, survey.Survey{Name: "bench", Template: "nps", Touchpoint: "bench",
		Channel: survey.LinkOnly, Trigger: survey.Trigger{Type: survey.OnManual}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.SetSurveyState(b.Context(), by, v.ID.String(), survey.Active, 0); err != nil {
		b.Fatal(err)
	}
	links, err := s.CreateLinks(b.Context(), by, v.ID.String(), make([]store.Link, b.N))
	if err != nil {
		b.Fatal(err)
	}
	handler := api.New(api.Options{Store: s, Words: words, BaseURL: "http://koe.example.com"})
	var n atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			page := "/s/" + links[n.Add(1)-1].Token
			answer := httptest.NewRequest(http.MethodPost, page, strings.NewReader("step=score&score=9"))
			answer.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, r := range []*http.Request{httptest.NewRequest(http.MethodGet, page+"?score=9", nil), answer} {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Errorf("%d %s", w.Code, w.Body)
					return
				}
			}
		}
	})
}
