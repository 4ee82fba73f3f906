package scoring

import (
	"bytes"
	"encoding/json"
)

// Groups holds one figure for each group that a metric sorts its answers into,
// in the order in which people read them. In JSON it is an object in the same
// order, such as {"promoters":53,"passives":34,"detractors":13}; nil is null.
type Groups[T int | int64 | float64] []Group[T]

// Group is the figure of one group.
type Group[T int | int64 | float64] struct {
	Name  string
	Value T
}

// Of returns the figure of the group called name, and 0 where there is none.
func (g Groups[T]) Of(name string) T {
	for _, group := range g {
		if group.Name == name {
			return group.Value
		}
	}
	return 0
}

// MarshalJSON writes the groups as an object.
func (g Groups[T]) MarshalJSON() ([]byte, error) {
	if g == nil {
		return []byte("null"), nil
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for i, group := range g {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(group.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(group.Value)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
