package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"koe/survey"
)

// id is a survey.ID as a column: 16 bytes on SQLite, uuid on PostgreSQL.
type id survey.ID

// Scan reads both forms; NULL is the zero id.
func (v *id) Scan(raw any) error {
	switch x := raw.(type) {
	case nil:
		*v = id{}
	case []byte:
		if len(x) == 16 {
			copy(v[:], x)
			return nil
		}
		return v.Scan(string(x))
	case string:
		parsed, err := survey.ParseID(x)
		*v = id(parsed)
		return err
	default:
		return fmt.Errorf("an id cannot be %T", raw)
	}
	return nil
}

// GormValue writes the form of the database in use.
func (v id) GormValue(_ context.Context, db *gorm.DB) clause.Expr {
	if db.Name() == "postgres" {
		return clause.Expr{SQL: "?", Vars: []any{survey.ID(v).String()}}
	}
	return clause.Expr{SQL: "?", Vars: []any{v[:]}}
}

// orNil is the id, or nil where it is zero (the column is NULL).
func (v id) orNil() *survey.ID {
	if v == (id{}) {
		return nil
	}
	out := survey.ID(v)
	return &out
}

// asJSON is a value as the text of a column. What comes here has been checked
// or made by koe, so a failure is a fault of the program's.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", v, err)
	}
	return string(b), nil
}

// objectJSON is asJSON of a map, which is often empty.
func objectJSON[M ~map[string]V, V any](m M) (string, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	return asJSON(m)
}

// fromJSON reads what asJSON wrote.
func fromJSON(text string, into any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("decode %T: %w", into, err)
	}
	return nil
}

// orNull is a text as a nullable column.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
