package api_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const toolSecret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="

// source puts a source and returns the path that its tool posts to.
func (s *server) source(key, definition string) string {
	s.t.Helper()
	url := s.do("PUT", "/v1/sources/"+key, `{`+definition+`}`).want(201).text("url")
	return strings.TrimPrefix(url, "https://koe.example.com")
}

// payload is what a tool posts, as its documents show it.
func payload(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("../survey/source/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func signed(of func() hash.Hash, parts ...string) []byte {
	mac := hmac.New(of, []byte(toolSecret))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// byTool signs a request as a tool does.
func (s *server) byTool(tool, path string, body []byte) func(*http.Request) {
	base64d := base64.StdEncoding.EncodeToString
	at := s.now.time()
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		switch tool {
		case "zendesk":
			r.Header.Set("X-Zendesk-Webhook-Signature-Timestamp", at.Format(time.RFC3339))
			r.Header.Set("X-Zendesk-Webhook-Signature", base64d(signed(sha256.New, at.Format(time.RFC3339), string(body))))
		case "intercom":
			r.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(signed(sha1.New, string(body))))
		case "hubspot", "hubspot-workflow":
			stamp := strconv.FormatInt(at.UnixMilli(), 10)
			r.Header.Set("X-HubSpot-Request-Timestamp", stamp)
			r.Header.Set("X-HubSpot-Signature-v3", base64d(signed(sha256.New, "POST", "https://koe.example.com"+path, string(body), stamp)))
		case "shopify":
			r.Header.Set("X-Shopify-Hmac-Sha256", base64d(signed(sha256.New, string(body))))
		}
	}
}

// Each tool posts what its documents show, signed as they say: an interaction,
// once however often it comes.
func TestToolsTellOfInteractions(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("helped", `"channel":"email","touchpoint":"helped","rules":{"quiet_period":"0s"}`)
		for _, c := range []struct{ preset, payload, id, email string }{
			{"zendesk", "zendesk.trigger", "35436", "ana@example.com"},
			{"intercom", "intercom.version2", "215468200000001", "ana@example.com"},
			{"hubspot-workflow", "hubspot-workflow.request", "1246979", "ana@example.com"},
			{"shopify", "shopify.fulfilled", "820982911946154508", "jon@example.com"},
		} {
			path := s.source(c.preset, `"preset":"`+c.preset+`","touchpoint":"helped","secret":"`+toolSecret+`"`)
			body := payload(t, c.payload)
			got := s.do("POST", path, body, s.byTool(c.preset, path, body)).want(202).wantAt("outcome", "recorded").wantAt("decisions[0].decision", "scheduled")
			s.do("GET", "/v1/interactions/"+got.text("id"), nil).want(200).wantAt("external_id", c.id).wantAt("customer.email", c.email)
			s.now.move(time.Minute)
			s.do("POST", path, body, s.byTool(c.preset, path, body)).want(200).wantAt("outcome", "repeated").wantAt("id", got.text("id")).
				wantAt("decisions[0].invitation_id", got.text("decisions[0].invitation_id"))
			s.do("POST", path, body, as("")).wantProblem(401)
			s.do("POST", path, append(bytes.Clone(body), ' '), s.byTool(c.preset, path, body)).wantProblem(401)
			s.do("POST", path, body, as(s.key)).wantProblem(401) // a key is no signature
			s.do("GET", "/v1/sources/"+c.preset+"/deliveries", nil).want(200).wantAt("data[0].outcome", "unproven").
				wantAt("data[1].outcome", "repeated").wantAt("data[1].interaction_id", got.text("id")).wantAt("data[2].outcome", "recorded").wantAt("data[3]", nil)
		}
		s.now.move(time.Hour)
		sent := payload(t, "hubspot-workflow.request")
		late := s.byTool("hubspot-workflow", "/v1/sources/hubspot-workflow", sent)
		s.do("POST", "/v1/sources/hubspot-workflow", sent, late).want(200) // by its key, in the workspace "default"
		s.now.move(6 * time.Minute)
		s.do("POST", "/v1/sources/hubspot-workflow", sent, late).wantProblem(401)
		if checked, err := s.store.Verify(t.Context()); err != nil || len(checked.Faults) > 0 {
			t.Error(checked.Faults, err)
		}
	})
}

// A list is as many events as it has items, and one bad one spoils no other.
func TestAToolPostsAList(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path := s.source("hubspot", `"preset":"hubspot","touchpoint":"ticket","secret":"`+toolSecret+`"`)
		body := payload(t, "hubspot.events")
		got := s.do("POST", path, body, s.byTool("hubspot", path, body)).want(200).wantAt("results[0].outcome", "recorded").
			wantAt("results[1].outcome", "ignored").wantAt("results[1].condition", "propertyValue").wantAt("results[2].outcome", "ignored").
			wantAt("results[3].outcome", "refused").wantAt("results[3].problem.errors[0].field", "[3].objectId").wantAt("results[4]", nil)
		s.do("GET", "/v1/interactions/"+got.text("results[0].id"), nil).want(200).wantAt("external_id", "9007199254740993")
		list := s.do("GET", "/v1/sources/hubspot/deliveries?limit=2", nil).want(200)
		rest := s.do("GET", "/v1/sources/hubspot/deliveries?cursor="+list.text("next_cursor"), nil).want(200).wantAt("data[2]", nil)
		outcomes := map[any]int{}
		for _, r := range []response{list, rest} {
			for i := range 2 {
				outcomes[r.at("data["+strconv.Itoa(i)+"].outcome")]++
			}
		}
		if outcomes["recorded"] != 1 || outcomes["ignored"] != 2 || outcomes["refused"] != 1 {
			t.Error(outcomes)
		}
	})
}

func TestSourceDefinitions(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		made := s.do("PUT", "/v1/sources/desk", `{"preset":"zendesk","touchpoint":"support_ticket","secret":"`+toolSecret+`"}`).want(201).
			wantAt("name", "desk").wantAt("signature", "zendesk").wantAt("secret_set", true).wantAt("secret", nil).wantAt("mapping.external_id", "ticket.id | detail.id")
		s.do("GET", "/v1/touchpoints/support_ticket", nil).want(200)
		s.now.move(time.Second)
		// what is shown can be put again, and the secret stays
		shown := s.do("GET", "/v1/sources/desk", nil).want(200).wantAt("url", made.text("url"))
		var again map[string]any
		shown.into(&again)
		for _, own := range []string{"secret_set", "url", "created_at", "updated_at"} {
			delete(again, own)
		}
		again["name"] = "Help desk"
		again["condition"] = map[string]any{"ticket.status": "closed"}
		s.do("PUT", "/v1/sources/desk", again).want(200).wantAt("name", "Help desk").wantAt("secret_set", true).wantAt("url", made.text("url")).
			wantAt("created_at", made.text("created_at")).wantAt("condition[ticket.status]", nil)
		path := strings.TrimPrefix(made.text("url"), "https://koe.example.com")
		body := []byte(`{"ticket":{"id":1,"status":"Solved"}}`)
		s.do("POST", path, body, s.byTool("zendesk", path, body)).want(200).wantAt("outcome", "ignored").wantAt("condition", "ticket.status")

		s.do("PUT", "/v1/sources/shop", `{"touchpoint":"delivery"}`).want(201).wantAt("signature", "none").wantAt("secret_set", false)
		s.do("GET", "/v1/sources", nil).want(200).wantAt("data[0].key", "desk").wantAt("data[1].key", "shop").wantAt("data[2]", nil)
		s.do("DELETE", "/v1/sources/desk", nil).want(204)
		s.do("DELETE", "/v1/sources/desk", nil).wantProblem(404)
		s.do("GET", "/v1/sources/desk/deliveries", nil).wantProblem(404)
		s.do("POST", path, body, s.byTool("zendesk", path, body)).wantProblem(401)

		for body, field := range map[string]string{
			`{"preset":"zendesk","touchpoint":"t"}`:                                    "secret",
			`{"preset":"zendesk","touchpoint":"t","secret":""}`:                        "secret",
			`{"preset":"zendesk","touchpoint":"t","secret":"a b"}`:                     "secret",
			`{"touchpoint":"t","secret":"of no use"}`:                                  "secret",
			`{"touchpoint":"t","signature":"standard","secret":"whsec_%%"}`:            "secret",
			`{"touchpoint":"t","preset":"jira"}`:                                       "preset",
			`{"touchpoint":"T"}`:                                                       "touchpoint",
			`{"touchpoint":"t","mapping":{"external_id":"a..b"}}`:                      "mapping.external_id",
			`{"touchpoint":"t","mapping":{"external_id":"a","attributes":{"x":"a["}}}`: "mapping.attributes.x",
			`{"touchpoint":"t","condition":{"a":[]}}`:                                  "condition.a",
		} {
			s.do("PUT", "/v1/sources/bad", body).wantProblem(422, field)
		}
		s.do("PUT", "/v1/sources/bad", `{"touchpoint":"t","mapping":{"external_id":"a","phone":"b"}}`).wantProblem(400)
		s.do("PUT", "/v1/sources/Bad", `{"touchpoint":"t"}`).wantProblem(422, "key")
		s.do("GET", "/v1/sources/bad", nil).wantProblem(404)
	})
}

// A tool that does not sign is believed at its secret address or with a key,
// and nowhere else; what is wrong is said of places in the payload.
func TestAToolThatDoesNotSign(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("repaired", `"channel":"link","touchpoint":"repair","rules":{"quiet_period":"0s"}`)
		path := s.source("jobs", `"touchpoint":"repair","mapping":{"external_id":"job.no","customer":{"email":"job.customer.mail"},"attributes":{"branch":"job.fields[name=branch].value"}},
			"condition":{"job.state":["done","handed over"]}`)
		job := func(no, state string) string {
			return `{"job":{"no":` + no + `,"state":"` + state + `","customer":{"mail":"ana@qqdesk.example"},"fields":[{"name":"branch","value":"Köln"}]}}`
		}
		got := s.do("POST", path, job("1", "Handed Over"), as("")).want(202).wantAt("decisions[0].decision", "scheduled").wantAt("decisions[0].url", nil)
		s.do("GET", "/v1/interactions/"+got.text("id"), nil).want(200).wantAt("attributes.branch", "Köln")
		s.do("POST", "/v1/sources/jobs", job("1", "done")).want(200).wantAt("id", got.text("id"))
		for _, key := range []string{s.newKey(s.workspace, "sender"), s.newKey(s.workspace, "editor")} {
			s.do("POST", "/v1/sources/jobs", job("1", "done"), as(key)).want(200)
		}
		s.do("POST", "/v1/sources/jobs", job("1", "done"), as(s.newKey(s.workspace, "viewer"))).wantProblem(403)
		s.do("POST", "/v1/sources/jobs", job("1", "done"), as("")).wantProblem(401)
		s.do("POST", "/v1/sources/jobs", job("1", "done"), as("koe_nobody")).wantProblem(401)
		for _, nowhere := range []string{"/v1/sources/nothing", "/v1/sources/in.x", "/v1/sources/in.AAAAAAAAAAAAAAAAAAAAAAAAAA", path + "x", "/v1/sources/IN"} {
			s.do("POST", nowhere, job("1", "done"), as("")).wantProblem(401)
		}
		_, other := s.newWorkspace("other")
		s.do("POST", "/v1/sources/jobs", job("1", "done"), as(other)).wantProblem(404)
		s.do("POST", "/v1/sources/nothing", job("1", "done")).wantProblem(404)

		s.do("HEAD", path, nil, as("")).want(200)
		s.do("HEAD", path+"x", nil, as("")).want(401)
		s.do("HEAD", "/v1/sources/jobs", nil, as("")).want(401)
		s.do("POST", path, `{"job":{"state":"done"}}`, as("")).wantProblem(422, "job.no")
		s.do("POST", path, `{"job":{"no":2,"state":"done","customer":{"mail":"ana@qqdesk"}}}`, as("")).want(202) // an address of a local network
		s.do("POST", path, `{"job":{"no":3,"state":"done","customer":{"mail":"nobody"}}}`, as("")).wantProblem(422, "job.customer.mail")
		s.do("POST", path, job("1", "open"), as("")).want(200).wantAt("outcome", "ignored").wantAt("condition", "job.state")
		s.do("POST", path, `{"job":`, as("")).wantProblem(400)
		s.do("POST", path, `[`+strings.Repeat(`{},`, 1000)+`{}]`, as("")).wantProblem(422)
		s.do("POST", path, job("1", "done"), as(""), with("Content-Type", "application/xml")).wantProblem(415)
		s.do("POST", path, `{"job":"`+strings.Repeat("x", 5<<20)+`"}`, as("")).wantProblem(413)
		s.do("POST", path, `{"job":"`+strings.Repeat("x", 5<<20)+`"}`, as(""), unsized).wantProblem(413)

		preview := s.do("POST", "/v1/sources/jobs/preview", `[`+job("77", "done")+`,`+job("78", "open")+`,{}]`, with("Idempotency-Key", "look")).want(200).
			wantAt("results[0].outcome", "recorded").wantAt("results[0].interaction.external_id", "77").wantAt("results[0].interaction.touchpoint", "repair").
			wantAt("results[0].interaction.customer.email", "ana@qqdesk.example").wantAt("results[1].outcome", "ignored").wantAt("results[1].condition", "job.state").
			wantAt("results[2].outcome", "refused").wantAt("results[2].problem.errors[0].field", "[2].job.state")
		if strings.Contains(string(preview.body), `"id":"`) {
			t.Errorf("a preview that keeps something: %s", preview.body)
		}
		s.do("POST", path, job("77", "done"), as("")).want(202) // nobody has told of it before
		s.do("POST", "/v1/sources/jobs/preview", `{`).wantProblem(400)

		// nothing of what came stands in the list, or in the log
		list := s.do("GET", "/v1/sources/jobs/deliveries", nil).want(200)
		for _, word := range []string{"qqdesk", "Köln", "nobody"} {
			if bytes.Contains(list.body, []byte(word)) || strings.Contains(s.log.String(), word) {
				t.Errorf("%s is told: %s", word, list.body)
			}
		}
		if !strings.Contains(string(list.body), `"errors":[{"field":"job.customer.mail","code":"format"}]`) || strings.Contains(s.log.String(), strings.TrimPrefix(path, "/v1/sources/")) {
			t.Errorf("%s\n%s", list.body, s.log.String())
		}
		person := s.do("GET", "/v1/people?email=ana@qqdesk.example", nil).want(200).text("data[0].id")
		s.do("DELETE", "/v1/people/"+person, nil).want(204)
		s.do("GET", "/v1/interactions/"+got.text("id"), nil).want(200).wantAt("customer.email", nil).wantAt("attributes.branch", nil)
		s.do("POST", path, job("1", "done"), as("")).want(200).wantAt("id", got.text("id")) // a repeat is known still
		s.now.move(31 * 24 * time.Hour)
		if _, err := s.store.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.do("GET", "/v1/sources/jobs/deliveries", nil).want(200).wantAt("data[0]", nil)
	})
}

// Two companies have a source of the same key: each address leads to its own.
func TestSourcesOfTwoCompanies(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		_, other := s.newWorkspace("other")
		mine := s.source("desk", `"touchpoint":"mine"`)
		theirs := strings.TrimPrefix(s.do("PUT", "/v1/sources/desk", `{"touchpoint":"theirs"}`, as(other)).want(201).text("url"), "https://koe.example.com")
		got := s.do("POST", theirs, `{"id":1}`, as(s.key)).want(202) // whose key comes along does not matter to an address
		s.do("GET", "/v1/interactions/"+got.text("id"), nil).wantProblem(404)
		s.do("GET", "/v1/interactions/"+got.text("id"), nil, as(other)).want(200).wantAt("touchpoint", "theirs")
		s.do("POST", mine, `{"id":1}`, as("")).want(202)
		s.do("POST", "/v1/sources/desk", `{"id":1}`, as(other)).want(200).wantAt("id", got.text("id"))
		s.do("GET", "/v1/sources/desk/deliveries", nil).want(200).wantAt("data[0].outcome", "recorded").wantAt("data[1]", nil)
		s.do("DELETE", "/v1/sources/desk", nil).want(204)
		s.do("POST", mine, `{"id":2}`, as("")).wantProblem(401)
		s.do("POST", theirs, `{"id":2}`, as("")).want(202)
	})
}

// What comes unproven is told of, and cannot fill the database.
func TestUnprovenPostsAreNotedOnceAMinute(t *testing.T) {
	s := newServer(t)
	s.source("desk", `"preset":"zendesk","touchpoint":"ticket","secret":"`+toolSecret+`"`)
	for range 3 {
		for range 20 {
			s.do("POST", "/v1/sources/desk", `{}`, as("")).wantProblem(401)
		}
		s.now.move(time.Minute)
	}
	s.do("GET", "/v1/sources/desk/deliveries", nil).want(200).wantAt("data[2].outcome", "unproven").wantAt("data[3]", nil)
}
