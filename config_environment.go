package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// variable is the environment's name of a flag.
func variable(flag string) string {
	return "KOE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment reads the variables of koe that are set and not empty. One that
// koe does not know is refused: it is a typing error whose default would
// surprise.
func environment(environ []string, known []string) (*koanf.Koanf, error) {
	var unknown error
	k := koanf.New(".")
	err := k.Load(env.Provider("", env.Opt{
		Prefix:      "KOE_",
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			switch {
			case value == "" || foreign(name, value):
				return "", nil
			case !slices.Contains(known, name):
				unknown = fmt.Errorf("%s: koe knows no such variable%s", name, nearest(name, known))
				return "", nil
			}
			return name, value
		},
	}), nil)
	return k, errors.Join(err, unknown)
}

// foreign is true for variables that others set: koe's own tests, and Kubernetes, which describes a service named koe to every container.
func foreign(name, value string) bool {
	for _, prefix := range []string{"KOE_TEST_", "KOE_SERVICE_", "KOE_PORT_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "KOE_PORT" && strings.Contains(value, "://")
}

// nearest suggests what a misspelt name was meant to be.
func nearest(name string, known []string) string {
	best := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	if distance(name, best) > len(name)/3 {
		return "; koe serve --help lists them all"
	}
	return "; did you mean " + best + "?"
}

// distance is Levenshtein's: how many letters must be changed, put in or taken
// out to make one of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// fromEnvironment gives flags that are not on the command line the value of
// their variable.
func fromEnvironment(k *koanf.Koanf) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if name := variable(flag.Name); k.Exists(name) {
			return k.String(name), nil
		}
		return nil, nil
	})
}
