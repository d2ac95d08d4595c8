package pid1

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// mostWaited is how many of those who are waited for are named.
const mostWaited = 16

// beginWaiting has those named from time to time whom the end waits for.
func (i *initProcess) beginWaiting() {
	if i.o.NameWaited > 0 {
		i.waited.Reset(i.o.NameWaited)
	}
}

// nameWaited names who is still there, and what time they have.
func (i *initProcess) nameWaited() {
	i.waited.Reset(i.o.NameWaited)
	var names []string
	more := 0
	for _, r := range i.left() {
		if len(names) == mostWaited {
			more++
			continue
		}
		names = append(names, fmt.Sprintf("%s (%d)", nameOf(r.pid), r.pid))
	}
	if len(names) == 0 {
		return
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	i.o.log(1, fmt.Sprintf("waiting for %s; %v are left", text, max(time.Until(i.deadline), 0).Round(time.Second)))
}

// left are the living who have to end.
func (i *initProcess) left() []relative {
	var found []relative
	if isFirst() {
		for pid, st := range allProcesses() {
			if pid != os.Getpid() && st.state != 'Z' && st.state != 'X' {
				found = append(found, relative{pid, st.began})
			}
		}
	} else {
		found = descendants()
	}
	slices.SortFunc(found, func(a, b relative) int { return a.pid - b.pid })
	return found
}

// nameOf is what the kernel calls a process.
func nameOf(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "?"
	}
	return string(bytes.TrimSuffix(name, []byte("\n")))
}
