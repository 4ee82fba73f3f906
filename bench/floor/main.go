// Command floor is the least that a program can do with an answer and still
// keep it: decode its JSON with echo, insert one row into SQLite, wait until
// the disk has it, and answer 201. It validates nothing, knows no key and no
// survey, and counts nothing. koe is measured against it: what koe does beyond
// is what the difference pays for.
//
// It is meant to be fast: no log, one prepared statement, and one writer that
// commits everything that waits in one go.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// response is the body of POST /v1/responses, as far as the benchmark uses it.
type response struct {
	SurveyID string `json:"survey_id"`
	Score    int    `json:"score"`
	Customer struct {
		ExternalID string `json:"external_id"`
		Email      string `json:"email"`
	} `json:"customer"`
	Attributes map[string]string `json:"attributes"`
	Comment    string            `json:"comment"`
}

// created is the answer's body.
type created struct {
	ID int64 `json:"id"`
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address")
	db := flag.String("db", "floor.db", "SQLite file, made where it does not exist")
	flag.Parse()
	if err := serve(*listen, *db); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// serve runs until the process is told to stop.
func serve(listen, db string) error {
	w, err := openWriter(db)
	if err != nil {
		return err
	}
	defer w.close()

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Server.ReadHeaderTimeout = 10 * time.Second
	e.POST("/v1/responses", func(c echo.Context) error {
		var r response
		if err := c.Bind(&r); err != nil {
			return err
		}
		id, err := w.insert(r)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusCreated, created{id})
	})

	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- e.Start(listen) }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
		finish, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return e.Shutdown(finish)
	}
}
