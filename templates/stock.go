package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"koe/survey"
)

// Stock returns the survey templates that every new workspace starts with, in
// the order of their file names. Each is complete in English and Japanese and
// already clean. The caller owns the result: every call reads anew.
func Stock() ([]survey.Template, error) {
	names, err := fs.Glob(files, "surveys/*.yaml")
	if err != nil {
		return nil, err
	}
	stock := make([]survey.Template, 0, len(names))
	for _, name := range names {
		source, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		t, err := readTemplate(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if want := strings.TrimSuffix(path.Base(name), ".yaml"); t.Key != want {
			return nil, fmt.Errorf("%s: the key is %q, the file says %q", name, t.Key, want)
		}
		stock = append(stock, t)
	}
	return stock, nil
}

// readTemplate reads a survey template written in YAML. It goes through JSON,
// so that the field names are those of the API and an unknown one is refused.
func readTemplate(source []byte) (survey.Template, error) {
	var t survey.Template
	var tree any
	if err := yaml.Unmarshal(source, &tree); err != nil {
		return t, err
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return t, err
	}
	strict := json.NewDecoder(bytes.NewReader(plain))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&t); err != nil {
		return t, err
	}
	return t, t.Clean()
}
