package servicedir

import (
	"slices"
	"strconv"
	"strings"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// logDirectives returns the words for s6-log. A stamp directive applies to the
// next action only, so the raw copy to standard output comes first.
func logDirectives(l sm.LogSpec) []string {
	words := []string{"n" + strconv.Itoa(l.MaxFiles), "s" + strconv.FormatInt(l.MaxBytes, 10)}
	if l.Tee {
		words = append(words, "1")
	}
	switch l.Timestamps {
	case sm.TimestampISO:
		words = append(words, "T")
	case sm.TimestampTAI:
		words = append(words, "t")
	}
	return append(words, l.Dir)
}

// logScripts renders log/run. Where the service runs as another user its log
// is written by that user as well, and only that user makes the directory:
// root does nothing in a place that others can write. The directory is private,
// as s6-log would make it.
func logScripts(l sm.LogSpec, words []string, env Env) []Entry {
	write := header + "set -e\n" +
		"[ -d " + quote(l.Dir) + " ] || mkdir -p -m 0700 " + quote(l.Dir) + "\n" +
		"exec " + quoteAll(slices.Concat(env.Logger, words)) + "\n"
	if len(env.AsUser) == 0 {
		return []Entry{{Path: "log/run", Perm: 0o755, Data: write}}
	}
	return []Entry{
		{Path: "log/start", Perm: 0o755, Data: write},
		{Path: "log/run", Perm: 0o755, Data: header + "exec " + quoteAll(append(slices.Clone(env.AsUser), "./start")) + "\n"},
	}
}

// ParseDirectives returns the log directory among s6-log directives: the first
// word that begins with / or a dot. ok is false where there is none.
func ParseDirectives(words []string) (dir string, ok bool) {
	for _, w := range words {
		if strings.HasPrefix(w, "/") || strings.HasPrefix(w, ".") {
			return w, true
		}
	}
	return "", false
}

// DirectiveLines splits the content of log/directives: one directive a line,
// verbatim.
func DirectiveLines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
