package svscan_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the differences into docs/s6-protocol.md")

// The differences of docs/s6-protocol.md are those that the table of tools
// allows. With -update they are written there.
func TestDifferencesDocument(t *testing.T) {
	const path = "../../../docs/s6-protocol.md"
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("S6TEST_AS_USER") != "" {
		t.Skip("this run is away from the sources; the first one read them")
	}
	if err != nil {
		t.Fatal(err)
	}
	const mark = " -->\n"
	head, rest, found := strings.Cut(string(b), mark)
	if !found {
		t.Fatalf("%s has no line that ends in %q", path, mark)
	}
	want := document()
	if *update {
		if err := os.WriteFile(path, []byte(head+mark+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if rest != want {
		t.Errorf("%s does not have the differences that the table allows; make it new with -update:\n%s", path, want)
	}
}

// document is the list as the page has it.
func document() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		list  []difference
	}{
		{"What we take for faults of s6", faults()},
		{"What our tree does otherwise, more or less", choices()},
		{"What s6 2.11.3 does otherwise, too", olderVersions()},
	} {
		fmt.Fprintf(&b, "\n### %s\n\n", part.title)
		for i, d := range part.list {
			fmt.Fprintf(&b, "%d. **%s** %s", i+1, d.what, d.why)
			if len(d.seen) == 0 && len(d.everywhere) == 0 {
				b.WriteString(" (The table does not show it.)")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
