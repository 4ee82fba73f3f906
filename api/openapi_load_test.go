package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var knownRoles = []string{"viewer", "sender", "editor", "admin"}

// loadContract reads the contract afresh, so that a test may change what it got.
func loadContract(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// eachOperation calls check once for each operation, in a subtest of its name.
func eachOperation(t *testing.T, check func(t *testing.T, path, method string, op *openapi3.Operation)) {
	for path, item := range loadContract(t).Paths.Map() {
		for method, op := range item.Operations() {
			t.Run(method+" "+path, func(t *testing.T) { check(t, path, method, op) })
		}
	}
}

func TestContractIsValid(t *testing.T) {
	if err := loadContract(t).Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An example with a field that its schema does not have would teach a field
// that does not exist: here every object is closed that does not say what else
// it may hold.
func TestExamplesHaveNoUnknownFields(t *testing.T) {
	doc := loadContract(t)
	for _, schema := range doc.Components.Schemas {
		closeSchema(schema)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestExamplesAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(workspace map[string]any){
		"missing field": func(w map[string]any) { delete(w, "timezone") },
		"wrong type":    func(w map[string]any) { w["name"] = 5 },
		"unknown field": func(w map[string]any) { w["colour"] = "red" },
	} {
		t.Run(name, func(t *testing.T) {
			doc := loadContract(t)
			for _, schema := range doc.Components.Schemas {
				closeSchema(schema)
			}
			example, ok := doc.Components.Examples["Workspace"].Value.Value.(map[string]any)
			if !ok {
				t.Fatal("the example of a workspace is no object")
			}
			spoil(example)
			if err := doc.Validate(t.Context()); err == nil {
				t.Error("a spoilt example passed")
			}
		})
	}
}

// closeSchema forbids unknown fields in a schema and all that is inside it.
func closeSchema(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil {
		return
	}
	s := ref.Value
	if s.Type.Permits(openapi3.TypeObject) && s.Type != nil && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
		s.AdditionalProperties.Has = new(false)
	}
	for _, property := range s.Properties {
		closeSchema(property)
	}
	closeSchema(s.Items)
	closeSchema(s.AdditionalProperties.Schema)
}

func TestEveryOperationSaysWhoMayCallIt(t *testing.T) {
	eachOperation(t, func(t *testing.T, path, _ string, op *openapi3.Operation) {
		if op.OperationID == "" || op.Summary == "" || op.Description == "" || len(op.Tags) != 1 {
			t.Error("needs an operationId, a summary, a description and one tag")
		}
		public := op.Security != nil && len(*op.Security) == 0
		keyed := strings.HasPrefix(path, "/delighted/v1/") || strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/v1/bounces/") &&
			!slices.Contains([]string{"takeSource", "probeSource"}, op.OperationID)
		if public == keyed {
			t.Error("what lies under /v1 and /delighted/v1 needs a key, but for the doors of mail providers and of tools, and nothing else does")
		}
		listed, _ := op.Extensions["x-koe-roles"].([]any)
		if public != (len(listed) == 0) {
			t.Error("needs either x-koe-roles or security: []")
		}
		for _, role := range listed {
			if name, _ := role.(string); !slices.Contains(knownRoles, name) {
				t.Errorf("%v is not a role", role)
			}
		}
		if !public && !slices.Contains(listed, any("admin")) {
			t.Error("an admin may do everything")
		}
	})
}

func TestEveryJSONBodyHasAnExample(t *testing.T) {
	eachOperation(t, func(t *testing.T, _, _ string, op *openapi3.Operation) {
		if op.RequestBody != nil {
			wantExample(t, "request", op.RequestBody.Value.Content)
		}
		for status, response := range op.Responses.Map() {
			wantExample(t, status, response.Value.Content)
		}
	})
}

func wantExample(t *testing.T, where string, content openapi3.Content) {
	t.Helper()
	for name, media := range content {
		if strings.HasSuffix(name, "json") && media.Example == nil && len(media.Examples) == 0 {
			t.Errorf("%s %s has no example", where, name)
		}
	}
}

// What holds for a whole kind of operation must not be forgotten on one.
func TestOperationsKeepTheHouseRules(t *testing.T) {
	eachOperation(t, func(t *testing.T, path, method string, op *openapi3.Operation) {
		for status, response := range op.Responses.Map() {
			if response.Value.Headers["X-Request-Id"] == nil {
				t.Errorf("%s lacks X-Request-Id", status)
			}
		}
		if keyless := op.Security != nil && len(*op.Security) == 0; keyless || !strings.HasPrefix(path, "/v1/") {
			return
		}
		want := []string{"400", "401", "403", "429", "503"}
		streamed := op.OperationID == "importResponses" // of any length, and its rows know by themselves whether they are repeats
		if op.RequestBody != nil {
			want = append(want, "415", "422")
		}
		if op.RequestBody != nil && !streamed {
			want = append(want, "413")
		}
		if method == "POST" && !streamed {
			want = append(want, "409", "422")
			if op.Parameters.GetByInAndName("header", "Idempotency-Key") == nil {
				t.Error("a POST takes an Idempotency-Key")
			}
		}
		if op.Parameters.GetByInAndName("header", "If-Match") != nil {
			want = append(want, "412")
		}
		for _, status := range want {
			if op.Responses.Value(status) == nil {
				t.Errorf("lacks %s", status)
			}
		}
		pages := op.Parameters.GetByInAndName("query", "limit") != nil
		if pages != (op.Parameters.GetByInAndName("query", "cursor") != nil) || pages != strings.HasPrefix(op.OperationID, "list") {
			t.Error("a list, and only a list, takes limit and cursor")
		}
	})
}

func TestVersionedResourcesCarryAnETag(t *testing.T) {
	eachOperation(t, func(t *testing.T, path, method string, op *openapi3.Operation) {
		for status, response := range op.Responses.Map() {
			media := response.Value.Content["application/json"]
			if media == nil || strings.HasSuffix(path, "{version}") {
				continue
			}
			switch name := strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/"); name {
			case "Template", "Touchpoint", "Survey":
				if response.Value.Headers["ETag"] == nil {
					t.Errorf("%s lacks an ETag", status)
				}
				if (method == "PUT" || method == "PATCH") && op.Parameters.GetByInAndName("header", "If-Match") == nil {
					t.Error("takes no If-Match")
				}
			}
		}
	})
}
