package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"koe/api"
	"koe/api/delighted"
)

// contractRouter finds the operation of a request. Every object is closed: an
// answer with a field that the contract does not know breaks it.
var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		return nil, err
	}
	for _, schema := range doc.Components.Schemas {
		closeSchema(schema)
	}
	return legacy.NewRouter(doc)
})

// checkContract compares an exchange with openapi.yaml: the operation says
// that it may answer so, with these headers and this body; and what koe took,
// the contract takes too.
func checkContract(t *testing.T, request *http.Request, sent []byte, got response) {
	t.Helper()
	router, err := contractRouter()
	if err != nil {
		t.Fatal(err)
	}
	asked := request.Clone(t.Context())
	asked.URL.Scheme, asked.URL.Host, asked.Body = "", "", io.NopCloser(bytes.NewReader(sent))
	if delighted.Within(asked) {
		delighted.Canonical(asked.URL)
	}
	if _, _, err := router.FindRoute(asked); err != nil && asked.Method == http.MethodHead {
		asked.Method = http.MethodGet
	}
	route, parameters, err := router.FindRoute(asked)
	if err != nil {
		if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d, and the contract does not know the operation", got.request, got.status)
		}
		return
	}
	if got.status == http.StatusMethodNotAllowed || got.status == http.StatusInternalServerError || len(asked.URL.Path) > 1 && strings.HasSuffix(asked.URL.Path, "/") {
		return // said once for all operations, in the contract's introduction
	}
	media, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	sentAs, _, _ := mime.ParseMediaType(request.Header.Get("Content-Type"))
	rows := sentAs == "text/csv" || sentAs == "application/x-ndjson" // which koe reads more kindly than the validator, or the validator not at all
	loose := delighted.Within(asked) && sentAs != "application/json" // forms with nested names
	options := &openapi3filter.Options{ExcludeRequestBody: rows || loose, IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		ExcludeResponseBody: request.Method == http.MethodHead || !strings.HasSuffix(media, "json") || media == "application/x-ndjson"}
	input := &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route, Options: options}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{RequestValidationInput: input,
		Status: got.status, Header: got.header, Body: io.NopCloser(bytes.NewReader(got.body)), Options: options})
	if err != nil {
		t.Errorf("%s: %d breaks the contract: %v", got.request, got.status, err)
	}
	if declared := route.Operation.Responses.Status(got.status); declared != nil && media != "" && declared.Value.Content.Get(media) == nil {
		t.Errorf("%s: %d as %s breaks the contract", got.request, got.status, media)
	}
	if got.status < 400 {
		exercised.Store(route.Operation.OperationID, true)
	}
	if got.status >= 300 || bytes.Contains(got.body, []byte(`"warnings":`)) {
		return // refused, or taken with a warning about what the contract does not know
	}
	if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
		t.Errorf("%s: koe took what the contract refuses: %v: %s", got.request, err, sent)
	}
}

// What is served and what is promised are the same, both ways.
func TestRoutesAreTheContract(t *testing.T) {
	promised := map[string]string{}
	for path, item := range loadContract(t).Paths.Map() {
		for method, op := range item.Operations() {
			roles, _ := op.Extensions["x-koe-roles"].([]any)
			promised[op.OperationID] = fmt.Sprint(method, " ", path, " ", roles)
		}
	}
	for _, r := range api.Routes() {
		served := fmt.Sprint(r.Method, " ", r.Path, " ", r.Access.Roles())
		if promised[r.Operation] != served {
			t.Errorf("%s is served as %q and promised as %q", r.Operation, served, promised[r.Operation])
		}
		delete(promised, r.Operation)
	}
	for operation := range promised {
		t.Errorf("%s is promised and not served", operation)
	}
}
