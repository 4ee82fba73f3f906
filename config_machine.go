package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"koe/survey"
)

// logger writes to a stream in the format that was asked for.
func (c Config) logger(to *os.File) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	info, err := to.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if c.LogFormat == "text" || c.LogFormat == "" && terminal {
		return slog.New(slog.NewTextHandler(to, options))
	}
	return slog.New(slog.NewJSONHandler(to, options))
}

func timezone(text string) (string, error) {
	if text == "" {
		return machineZone(os.Getenv("TZ"), "/"), nil
	}
	_, err := survey.LoadZone(text)
	return text, err
}

// machineZone is the IANA name of the machine's time zone: what TZ says, else
// what the files below root say, else UTC.
func machineZone(tz, root string) string {
	name, _ := os.ReadFile(filepath.Join(root, "etc/timezone"))  // what cannot be read says nothing
	link, _ := os.Readlink(filepath.Join(root, "etc/localtime")) // a copy of the zone has no name
	for _, candidate := range []string{tz, string(name), link} {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), ":")
		if _, behind, ok := strings.Cut(candidate, "zoneinfo/"); ok {
			candidate = behind
		}
		if _, err := survey.LoadZone(candidate); err == nil {
			return candidate
		}
	}
	return "UTC"
}
