package api_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	asCSV   = with("Content-Type", "text/csv")
	asLines = with("Content-Type", "application/x-ndjson")
)

func TestImportingResponses(t *testing.T) {
	s := newServer(t)
	s.survey("shop", `"segments":["plan"]`)
	file := "\uFEFFRating;When;Who;Plan\r\n9;01/03/26;a;pro\r\n11;02/03/26;b;pro\r\nten;03/03/26;c;pro\r\n7;31/02/26;d;free\r\n12;04/03/26;e;free\r\n0;04/03/26;f;=free\r\n"
	path := "/v1/responses/import?survey=shop&map.score=Rating&map.responded_at=When&map.external_id=Who&map.attributes.plan=Plan&ignore=11,99&date_format=%25d/%25m/%25y&timezone=Asia/Tokyo"
	dry := s.do("POST", path+"&dry_run=true", file, asCSV).want(200)
	dry.wantAt("accepted", 2.0).wantAt("dry_run", true)
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0]", nil)
	got := s.do("POST", path, file, asCSV).want(200)
	got.wantAt("accepted", 2.0).wantAt("skipped", 1.0).wantAt("blank", 1.0).wantAt("repeated", 0.0).wantAt("rejected", 3.0).wantAt("rejections_truncated", false)
	for i, want := range []string{"4 score", "5 responded_at", "6 score"} {
		if said := fmt.Sprint(got.at(fmt.Sprintf("rejections[%d].line", i)), " ", got.at(fmt.Sprintf("rejections[%d].field", i))); said != want {
			t.Errorf("%s, want %s: %s", said, want, got.body)
		}
	}
	list := s.do("GET", "/v1/responses", nil).want(200)
	list.wantAt("data[1].responded_at", "2026-02-28T15:00:00.000Z").wantAt("data[1].score", 9.0).wantAt("data[1].channel", "import").wantAt("data[0].attributes.plan", "=free")
	s.do("POST", path, file, asCSV).want(200).wantAt("accepted", 0.0).wantAt("repeated", 2.0)
	s.do("GET", "/v1/scores?metric=nps&group_by=attributes.plan", nil).want(200).wantAt("total.responses", 2.0).wantAt("source", "tallies").wantAt("groups[0].key", "=free")
	s.do("POST", "/v1/responses/import?survey=shop", `{"score":8,"external_id":"g","answers":{},"id":"x"}`+"\n"+`{"score":null}`, asLines).want(200).
		wantAt("accepted", 1.0).wantAt("blank", 1.0)
	for i, body := range []string{"score,customer.name\n9,\n8,\n", "score,customer.name\n9,\n7,\n"} { // the first row is the same in both
		note := s.do("POST", "/v1/responses/import?survey=shop&dry_run=false", body, asCSV).want(200).wantAt("accepted", float64(2-i)).at("notes[0]")
		if said, _ := note.(string); strings.HasPrefix(said, "1 of the repeats have no external_id") != (i == 1) {
			t.Errorf("%d: %v", i, note)
		}
	}
}

func TestImportsThatCannotBeRead(t *testing.T) {
	s := newServer(t)
	s.survey("shop", "")
	at := "/v1/responses/import?survey=shop"
	for _, c := range []struct {
		path, body string
		header     func(*http.Request)
		status     int
		fields     []string
		detail     string
	}{
		{"/v1/responses/import", "score\n9\n", asCSV, 422, []string{"survey"}, ""},
		{"/v1/responses/import?survey=nowhere", "score\n9\n", asCSV, 422, []string{"survey"}, ""},
		{at, "rating\n9\n", asCSV, 422, []string{"score"}, `there is no column "score"; there are: rating`},
		{at + "&map.score=NPS", "score\n9\n", asCSV, 422, []string{"score"}, `there is no column "NPS"`},
		{at + "&map.mood=score", "score\n9\n", asCSV, 422, []string{"map"}, `there is no field "mood"`},
		{at + "&map.score=a", `{"score":9}`, asLines, 422, []string{"map"}, "is for CSV"},
		{at + "&date_format=%25Q", "score\n9\n", asCSV, 422, []string{"date_format"}, "%Q"},
		{at + "&timezone=Mars/Base", "score\n9\n", asCSV, 422, []string{"timezone"}, ""},
		{at + "&dry_run=yes", "score\n9\n", asCSV, 422, []string{"dry_run"}, ""},
		{at + "&columns=a", "score\n9\n", asCSV, 400, nil, "there is no query parameter"},
		{at, "", asCSV, 400, nil, "the file is empty"},
		{at, "score\n9\nf\xfcnf\n", asCSV, 400, nil, "line 3: byte 10 of the file (0xFC) is not UTF-8"},
		{at, "score\n9\n\"8\n", asCSV, 400, nil, "line 3: a quote opens here and never closes"},
		{at, "score" + strings.Repeat("x", 2<<20), asCSV, 400, nil, "line 1: a record of more than 1048576 bytes"},
		{at, `{"score":9}`, with("Content-Type", "application/json"), 415, nil, "send text/csv or application/x-ndjson"},
	} {
		got := s.do("POST", c.path, c.body, c.header)
		got.wantProblem(c.status, c.fields...)
		if !strings.Contains(got.text("detail"), c.detail) {
			t.Errorf("%s %.30q: %s", c.path, c.body, got.text("detail"))
		}
	}
	many := "score\n" + strings.Repeat("99\n", 1500)
	got := s.do("POST", at, many, asCSV).want(200).wantAt("rejected", 1500.0).wantAt("rejections_truncated", true).wantAt("rejections[1000]", nil)
	if got.at("rejections[999].line") != 1001.0 {
		t.Errorf("%v", got.at("rejections[999]"))
	}
}

// TestImportsArriveInPieces: a body of any length, with rows kept before its
// end has come, and one that breaks off.
func TestImportsArriveInPieces(t *testing.T) {
	s := newServer(t)
	s.survey("shop", "")
	row := strings.Repeat("x", 900)
	const n = 20_000
	body, writer := io.Pipe()
	go func() {
		_, _ = io.WriteString(writer, "score,external_id,comment\n")
		for i := range n {
			_, _ = fmt.Fprintf(writer, "9,x%d,%s\n", i, row)
		}
		_ = writer.Close()
	}()
	request, err := http.NewRequest("POST", s.url+"/v1/responses/import?survey=shop", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/csv")
	request.Header.Set("Authorization", "Bearer "+s.key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || !strings.Contains(string(text), `"accepted":20000`) {
		t.Fatalf("%d %s %v", answer.StatusCode, text, err)
	}

	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintf(conn, "POST /v1/responses/import?survey=shop HTTP/1.1\r\nHost: koe\r\nAuthorization: Bearer %s\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"19\r\nscore,external_id\n9,half\n\r\nno chunk\r\n", s.key)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	half, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Body.Close()
	text, _ = io.ReadAll(half.Body)
	_ = conn.Close()
	if half.StatusCode != 400 || !strings.Contains(string(text), "the body did not arrive in full; answers before it are kept, and will not be added again: 1") {
		t.Errorf("%d %s", half.StatusCode, text)
	}
}

func TestExportingResponses(t *testing.T) {
	s := newServer(t)
	s.survey("shop", "")
	for i, comment := range []string{"=SUM(A1)", "日本語 🙂, \"quoted\"\nand more", ""} {
		s.do("POST", "/v1/responses", map[string]any{"survey_id": "shop", "score": 9 - i, "comment": comment, "external_id": fmt.Sprint("x", i), "responded_at": fmt.Sprintf("2026-03-0%dT10:00:00Z", i+1),
			"customer": map[string]any{"email": "ana@example.com", "name": "Ana"}, "attributes": map[string]any{"plan": "pro", "n": 5}}).want(201)
	}
	got := s.do("GET", "/v1/responses/export", nil).want(200)
	if got.header.Get("Content-Type") != "text/csv; charset=utf-8" || got.header.Get("Content-Disposition") != `attachment; filename="responses.csv"` {
		t.Error(got.header)
	}
	rows, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
	if err != nil || len(rows) != 4 || !strings.Contains(string(got.body), "'=SUM(A1)") || !strings.Contains(string(got.body), "ana@example.com") || !strings.Contains(strings.Join(rows[0], " "), "attributes.n attributes.plan answers.") {
		t.Fatalf("%s %v", got.body, err)
	}
	marked := s.do("GET", "/v1/responses/export?format=csv&bom=true&score_max=7", nil).want(200)
	if text := string(marked.body); !strings.HasPrefix(text, "\uFEFFid,") || strings.Count(text, "\n") != 2 {
		t.Errorf("%q", text)
	}
	lines := s.do("GET", "/v1/responses/export?format=ndjson&from=2026-03-02&timezone=UTC", nil).want(200)
	list := s.do("GET", "/v1/responses?from=2026-03-02T00:00:00Z", nil).want(200)
	split := strings.Split(strings.TrimSpace(string(lines.body)), "\n")
	for i, line := range split { // the oldest comes first, in the list the newest
		var exported any
		if err := json.Unmarshal([]byte(line), &exported); err != nil || !reflect.DeepEqual(exported, list.at(fmt.Sprintf("data[%d]", len(split)-1-i))) {
			t.Errorf("%s %v", line, err)
		}
	}
	if len(split) != 2 {
		t.Errorf("%s", lines.body)
	}
	if head := s.do("HEAD", "/v1/responses/export", nil).want(200); len(head.body) > 0 {
		t.Errorf("%s", head.body)
	}
	s.survey("again", "")
	s.do("POST", "/v1/responses/import?survey=again", string(got.body), asCSV).want(200).wantAt("accepted", 3.0)
	s.do("POST", "/v1/responses/import?survey=again", string(lines.body), asLines).want(200).wantAt("repeated", 2.0)
	s.do("GET", "/v1/responses/export?format=xlsx", nil).wantProblem(422, "format")
	s.do("GET", "/v1/responses/export?bom=1", nil).wantProblem(422, "bom")
	s.do("GET", "/v1/responses/export?limit=5", nil).wantProblem(400)
	s.do("GET", "/v1/responses/export?survey=nowhere", nil).wantProblem(422, "survey")
}
