package report

import (
	"strings"
	"testing"
)

func TestThereAndBack(t *testing.T) {
	for _, r := range []Report{
		{Kind: Ready}, {Kind: AllReady},
		{Kind: Essential, Name: "web", Status: 0}, {Kind: Essential, Name: "web", Status: 137},
		{Kind: GaveUp, Name: "web", Reason: "it needs db, which is not there"}, {Kind: GaveUp, Name: "web"},
	} {
		line := r.String()
		text, ok := strings.CutSuffix(line, "\n")
		got, known := Parse(text)
		if !ok || !known || got != r {
			t.Errorf("%q is read as %+v, %v", line, got, known)
		}
	}
	long := Report{Kind: GaveUp, Name: "web", Reason: "two\nlines" + strings.Repeat("x", MaxLine)}.String()
	if len(long) != MaxLine || strings.Count(long, "\n") != 1 {
		t.Errorf("%d bytes: %q", len(long), long)
	}
	for _, line := range []string{"", "ready now", "essential web", "essential web x", "essential web 256", "gave-up", "other"} {
		if got, known := Parse(line); known {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}
