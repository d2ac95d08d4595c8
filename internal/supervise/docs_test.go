package supervise

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated files anew")

const docFile = "../../docs/supervise-states.md"

// The documentation is the table, never what somebody remembers of it.
func TestDocumentation(t *testing.T) {
	golden(t, docFile, documentation())
}

// golden compares text with a file, or with -update writes it.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: make it with go test ./internal/supervise -update", err)
	}
	if old := strings.ReplaceAll(string(b), "\r\n", "\n"); old != text {
		t.Errorf("%s is stale (%s): look at the change and run go test ./internal/supervise -update", path, firstDifference(old, text))
	}
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %q, now %q", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d lines, now %d", len(as), len(bs))
}

const docIntro = `# What a supervisor does: states and events

Generated from ` + "`internal/supervise/table.go`" + `; do not edit. After a change of the table:
` + "`go test ./internal/supervise -update`" + `.

A supervisor of one service is in one of seven states. Rows are what can happen,
cells what it does then; the words are explained below. All is as s6-supervise
2.15.1 does it, but for the state BACKOFF, the command ` + "`Q`" + ` (which that version
ignores), the rows of adoption, and that an exit code 125 of finish is pardoned
between ` + "`d`" + ` and ` + "`u`" + `. Bytes that are no command mean nothing.

`

func documentation() string {
	var b strings.Builder
	b.WriteString(docIntro)
	b.WriteString("| state | meaning |\n|---|---|\n")
	for p := range numPhases {
		fmt.Fprintf(&b, "| %s | %s |\n", p, p.explain())
	}
	b.WriteString("\n## The table\n\n| |")
	for p := range numPhases {
		fmt.Fprintf(&b, " %s |", p)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", int(numPhases)) + "|\n")
	for k := range numEvents {
		fmt.Fprintf(&b, "| %s |", k)
		for p := range numPhases {
			fmt.Fprintf(&b, " %s |", table[k][p])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## The words\n\n| word | what happens |\n|---|---|\n")
	for m := ignore; m < numMoves; m++ {
		fmt.Fprintf(&b, "| %s | %s |\n", m, m.explain())
	}
	b.WriteString(docEvents)
	return b.String()
}

const docEvents = `
## What others see

The record ` + "`status`" + ` is written before the event that tells of it, the instance
record and the note before the record. Changes of the wanted state, pause and
continue have no event.

| event | when |
|---|---|
| ` + "`s`" + ` | the supervisor has begun: commands are taken |
| ` + "`u`" + ` | run was started |
| ` + "`U`" + ` | run announced readiness |
| ` + "`d`" + ` | run died, finish is at work |
| ` + "`D`" + ` | down, nothing is left; with no finish in one write with ` + "`d`" + ` |
| ` + "`O`" + ` | before ` + "`D`" + `, in one write: finish exited 125, not again by itself |
| ` + "`x`" + ` | the supervisor leaves |

## Times

| what | how long |
|---|---|
| restart delay | 1 s from the end of the death; 1 s from readiness where it was ready |
| retry after a start that failed | 60 s |
| timeout-kill | the file, milliseconds; absent or 0: never; then every 5 s |
| timeout-finish | the file, milliseconds; absent: 5 s; 0: never; then every 5 s |
| backoff | the file, base and cap in milliseconds: base after the first death, doubled with each that nobody asked for; anew after 60 s up or a start that was asked for |
`
