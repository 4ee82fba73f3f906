package store

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"koe/survey"
)

// Page asks for a part of a list: Limit items, 1 to 500, from behind the place
// that Cursor names; an empty Cursor is the beginning. A cursor comes from the
// page before and is good for the same list with the same filters alone.
type Page struct {
	Limit  int
	Cursor string
}

const maxPage = 500

// cursor is the last row of a page, by what its list is sorted by. Rows that
// come in meanwhile neither repeat nor hide what lies behind it.
type cursor struct {
	Number int64     `json:"n,omitempty"` // an instant or a version
	ID     survey.ID `json:"i,omitzero"`
	Key    string    `json:"k,omitempty"`
}

// cursorMAC is how many bytes of a cursor say that koe made it.
const cursorMAC = 16

// seal writes a cursor for one list of one workspace.
func (s *Store) seal(workspace int64, list string, c cursor) (string, error) {
	place, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(s.cursorMAC(workspace, list, place), place...)), nil
}

// unseal reads what seal wrote; anything else is Invalid.
func (s *Store) unseal(workspace int64, list, text string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil && len(raw) > cursorMAC && hmac.Equal(raw[:cursorMAC], s.cursorMAC(workspace, list, raw[cursorMAC:])) {
		return c, json.Unmarshal(raw[cursorMAC:], &c)
	}
	return c, survey.Errorf(survey.Invalid, "cursor", "is not a cursor of this list with these filters")
}

func (s *Store) cursorMAC(workspace int64, list string, place []byte) []byte {
	return s.derive("cursor", workspace, append([]byte(list+"\x00"), place...))[:cursorMAC]
}

// order is what a list is sorted by.
type order struct {
	columns string // compared as a row with the cursor's values
	down    bool   // the newest first
	values  func(cursor) []any
}

// newest sorts by an instant and, where that is the same, by id.
func newest(instant string) order {
	table := ""
	if dot := strings.IndexByte(instant, '.'); dot >= 0 {
		table = instant[:dot+1]
	}
	return order{instant + ", " + table + "id", true, func(c cursor) []any { return []any{c.Number, c.ID} }}
}

// alphabetic sorts by a key.
func alphabetic(column string) order {
	return order{column, false, func(c cursor) []any { return []any{c.Key} }}
}

// descending sorts by a number, the highest first.
func descending(column string) order {
	return order{column, true, func(c cursor) []any { return []any{c.Number} }}
}

// clause is the rest of a statement: where, place, order and limit.
func (o order) clause(where []string, args []any, after *cursor, limit int) (string, []any) {
	compare, direction := " > ", ""
	if o.down {
		compare, direction = " < ", " DESC"
	}
	if after != nil {
		values := o.values(*after)
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
		where = append(where[:len(where):len(where)], "("+o.columns+")"+compare+"("+marks+")")
		args = append(args[:len(args):len(args)], values...)
	}
	by := strings.ReplaceAll(o.columns, ",", direction+",") + direction
	return " WHERE " + strings.Join(where, " AND ") + " ORDER BY " + by + " LIMIT ?", append(args, limit)
}

// page loads one page of a list and returns the cursor of the next, "" at the
// end. load runs a SELECT with the tail behind it (WHERE, ORDER, LIMIT) and
// says how many rows came: one more than the limit where there is a next page.
// at is the place of a row. filter is whatever narrows the list.
func (s *Store) page(q *session, list string, filter any, p Page, by order, where []string, args []any,
	load func(tail string, args []any) (int, error), at func(i int) cursor) (string, error) {
	if p.Limit < 1 || p.Limit > maxPage {
		return "", survey.Errorf(survey.Invalid, "limit", "must be 1 to %d", maxPage)
	}
	if filter != nil {
		text, err := asJSON(filter)
		if err != nil {
			return "", err
		}
		list += text
	}
	var after *cursor
	if p.Cursor != "" {
		c, err := s.unseal(q.by.Workspace, list, p.Cursor)
		if err != nil {
			return "", err
		}
		after = &c
	}
	tail, args := by.clause(where, args, after, p.Limit+1)
	n, err := load(tail, args)
	if err != nil || n <= p.Limit {
		return "", err
	}
	return s.seal(q.by.Workspace, list, at(p.Limit-1))
}

// newestFirst is a page of a list that is sorted by an instant, the newest
// first, then by id.
func (s *Store) newestFirst(q *session, list string, filter any, p Page, instant string, where []string, args []any,
	load func(tail string, args []any) (int, error), at func(i int) (int64, survey.ID)) (string, error) {
	return s.page(q, list, filter, p, newest(instant), where, args, load, func(i int) cursor {
		instant, id := at(i)
		return cursor{Number: instant, ID: id}
	})
}

// byKey is a page of a list that is sorted by a key.
func (s *Store) byKey(q *session, list string, p Page, column string, where []string, args []any,
	load func(tail string, args []any) (int, error), at func(i int) string) (string, error) {
	return s.page(q, list, nil, p, alphabetic(column), where, args, load,
		func(i int) cursor { return cursor{Key: at(i)} })
}
