package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows. Labels are routes, never addresses.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec

	openAnswers *prometheus.CounterVec // by way in and why left out of scores

	show http.Handler
}

func newMetrics(more ...prometheus.Collector) *metrics {
	registry := prometheus.NewRegistry()
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koe_http_requests_total",
			Help: "Requests answered, by route, method and status."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "koe_http_request_duration_seconds",
			Help:    "How long requests took, by route and method.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"route", "method"}),
	}
	m.openAnswers = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koe_open_answers_total",
		Help: "Answers by open links, by way in and by why they are left out of scores."}, []string{"entrance", "excluded"})
	registry.MustRegister(m.requests, m.seconds, m.openAnswers, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(more...)
	m.show = promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true})
	return m
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	method = methodLabel(method)
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route, method).Observe(took.Seconds())
}

func (a *api) showMetrics(c echo.Context) error {
	a.metrics.show.ServeHTTP(c.Response(), c.Request())
	return nil
}
