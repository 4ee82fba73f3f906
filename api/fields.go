package api

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxUnknown bounds the list of fields that nobody knows.
const maxUnknown = 100

// unknownFields lists the fields of well-formed JSON that a type does not
// have, such as "customer.phone".
func unknownFields(raw []byte, t reflect.Type) []string {
	var found []string
	_ = walkFields(jsontext.NewDecoder(bytes.NewReader(raw)), t, &found) // well-formed: nothing can fail
	return found
}

func walkFields(d *jsontext.Decoder, t reflect.Type, found *[]string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := d.PeekKind()
	_, readsItself := reflect.New(t).Interface().(json.Unmarshaler)
	switch {
	case readsItself:
		return d.SkipValue()
	case kind == '{' && t.Kind() == reflect.Struct:
		return walkMembers(d, fieldsOf(t), nil, found)
	case kind == '{' && t.Kind() == reflect.Map:
		return walkMembers(d, nil, t.Elem(), found)
	case kind == '[' && t.Kind() == reflect.Slice:
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() != ']' {
			if err := walkFields(d, t.Elem(), found); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	}
	return d.SkipValue()
}

// walkMembers walks an object whose members are of the types in fields, or all
// of one type.
func walkMembers(d *jsontext.Decoder, fields map[string]reflect.Type, every reflect.Type, found *[]string) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		member, known := fields[name.String()]
		if every != nil {
			member, known = every, true
		}
		if !known {
			if len(*found) < maxUnknown {
				*found = append(*found, dotted(d.StackPointer()))
			}
			err = d.SkipValue()
		} else {
			err = walkFields(d, member, found)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// fieldsOf are a struct's fields by their JSON names, those of embedded
// structs included.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" && name != "" && field.IsExported() {
			fields[name] = field.Type
		}
	}
	return fields
}

// mergePatch reads into a struct what current becomes by a JSON merge patch
// (RFC 7396): null takes a value away, a list is replaced as a whole. The
// result is read as strictly as any request; so is a null for a field that
// does not exist.
func mergePatch(current any, patch []byte, into any) error {
	var probe map[string]jsontext.Value
	if err := decode(patch, &probe); err != nil {
		return err
	}
	if unknown := unknownFields(patch, reflect.TypeOf(into)); len(unknown) > 0 {
		return noSuchField(unknown[0])
	}
	present, err := stdjson.Marshal(current)
	if err != nil {
		return err
	}
	before, err := tree(present)
	if err != nil {
		return err
	}
	change, err := tree(patch)
	if err != nil {
		return err
	}
	merged, err := stdjson.Marshal(merge(before, change))
	if err != nil {
		return err
	}
	return decode(merged, into)
}

// tree reads well-formed JSON; numbers stay as they are written.
func tree(raw []byte) (any, error) {
	var v any
	d := stdjson.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}

func merge(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, change := range changes {
		if change == nil {
			delete(object, name)
		} else {
			object[name] = merge(object[name], change)
		}
	}
	return object
}
