package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"koe/api"
	"koe/client"
	"koe/survey/store"
	"koe/templates"
)

// running starts a koe on SQLite with an admin key; stop ends it.
func running() (address, key string, stop func()) {
	ctx := context.Background()
	folder := must(os.MkdirTemp("", "koe-client-"))
	s := must(store.Open(ctx, "sqlite:"+filepath.Join(folder, "koe.db"), store.Options{Secret: bytes.Repeat([]byte("s"), 32), Stock: must(templates.Stock()), Timezone: "UTC"}))
	if err := s.Migrate(ctx); err != nil {
		panic(err)
	}
	workspace, _, err := s.EnsureDefault(ctx)
	if err != nil {
		panic(err)
	}
	_, key, err = s.CreateKey(ctx, store.Caller{Workspace: workspace.ID, KeyName: "test"}, "test", store.Admin)
	if err != nil {
		panic(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Server(api.New(api.Options{Store: s, Words: must(templates.New()), BaseURL: "https://koe.example.com",
		Log: slog.New(slog.DiscardHandler), Version: "test"}))
	server.Start()
	return server.URL, key, func() {
		server.Close()
		if err := errors.Join(s.Close(), os.RemoveAll(folder)); err != nil {
			panic(err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// contract is what openapi.yaml says of operations and schemas.
type contract struct {
	Paths      map[string]map[string]yaml.Node
	Components struct {
		Schemas map[string]struct {
			Properties map[string]yaml.Node
		}
	}
}

// The client is made of the contract: a change of the one without the other
// (`make client`) fails here.
func TestTheClientIsWhole(t *testing.T) {
	text := must(os.ReadFile("../openapi.yaml"))
	var spec contract
	if err := yaml.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	generated := string(must(os.ReadFile("koe.gen.go")))
	of, methods := reflect.TypeFor[*client.Client](), 0
	for path, operations := range spec.Paths {
		for verb, node := range operations {
			var operation struct {
				OperationID string `yaml:"operationId"`
				Tags        []string
			}
			if verb == "parameters" || node.Decode(&operation) != nil || len(operation.Tags) == 0 ||
				slices.Contains([]string{"Pages", "System", "Delighted"}, operation.Tags[0]) {
				continue
			}
			methods++
			name := strings.ToUpper(operation.OperationID[:1]) + operation.OperationID[1:]
			if _, found := of.MethodByName(name); !found {
				t.Errorf("no method %s for %s %s: run make client", name, verb, path)
			}
		}
	}
	if methods < 60 || of.NumMethod() != methods {
		t.Errorf("%d methods for %d operations: run make client", of.NumMethod(), methods)
	}
	for name, schema := range spec.Components.Schemas {
		if strings.HasSuffix(name, "Form") || strings.HasPrefix(name, "Delighted") { // of a page, of clients of its own
			continue
		}
		for property := range schema.Properties {
			if !strings.Contains(generated, `json:"`+property+`"`) && !strings.Contains(generated, `json:"`+property+`,`) {
				t.Errorf("no field %s of %s: run make client", property, name)
			}
		}
	}
}

func TestCalls(t *testing.T) {
	address, key, stop := running()
	defer stop()
	ctx, koe := t.Context(), client.NewOver(&http.Client{}, address+"/", key)

	w, err := koe.PatchWorkspace(ctx, client.WorkspacePatch{Name: new("声 & Co")})
	if err != nil || w.Name != "声 & Co" {
		t.Fatalf("%+v %v", w, err)
	}
	if _, err = koe.PutPerson(ctx, "c/17 ä", client.PersonInput{Email: new("ana@example.com")}); err != nil {
		t.Fatal(err)
	}
	person, err := koe.ShowPerson(ctx, "c/17 ä")
	if err != nil || *person.ExternalId != "c/17 ä" {
		t.Fatalf("%+v %v", person, err)
	}
	for page := (*string)(nil); ; {
		list, err := koe.ListTemplates(ctx, &client.ListTemplatesParams{Limit: new(2), Cursor: page})
		if err != nil {
			t.Fatal(err)
		}
		if page = list.NextCursor; page == nil {
			break
		}
	}
	if err = koe.ErasePerson(ctx, person.Id); err != nil {
		t.Error(err)
	}
	file, err := koe.ExportResponses(ctx, &client.ExportResponsesParams{Format: new(client.ExportResponsesParamsFormat("csv"))})
	if err != nil {
		t.Fatal(err)
	}
	if head, err := io.ReadAll(file); err != nil || !bytes.Contains(head, []byte("responded_at")) {
		t.Errorf("%q %v", head, err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	address, key, stop := running()
	defer stop()
	ctx := t.Context()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		http.Error(w, "<html>no", http.StatusBadGateway)
	}))
	defer proxy.Close()
	for name, c := range map[string]struct {
		koe    *client.Client
		id     string
		status int
		words  string
	}{
		"not there":     {client.New(address, key), "nothing", 404, "koe: 404"},
		"no such key":   {client.New(address, "koe_x"), "chat", 401, "koe: 401"},
		"a proxy's":     {client.New(proxy.URL, key), "chat", 502, "not an answer of koe's"},
		"an empty path": {client.New(address, key), "", 0, "id: is empty"},
	} {
		_, err := c.koe.ShowSurvey(ctx, c.id)
		var refused *client.Error
		if errors.As(err, &refused) != (c.status != 0) || err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		} else if c.status != 0 && refused.Status != c.status {
			t.Errorf("%s: %+v", name, refused)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := client.New(address, key).ShowWorkspace(cancelled); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := client.New("http://[", key).ShowWorkspace(ctx); err == nil {
		t.Error("an address that is none")
	}
	_, err := client.New(address, key).CreateTouchpoint(ctx, nil, client.TouchpointInput{Key: new("Not A Key"), Name: "x"})
	var refused *client.Error
	if !errors.As(err, &refused) || len(refused.Errors) != 1 || !strings.Contains(err.Error(), "; key ") {
		t.Errorf("%v", err)
	}
}
