package cli

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// zombies names the dead whose parents do not wait for them. An init cannot help
// there: it only waits for its own children. Source: proc_pid_stat(5).
func zombies() []string {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var found []string
	for _, name := range names {
		if _, err := strconv.Atoi(name); err != nil {
			continue
		}
		if who, parent, ok := zombie(name); ok {
			found = append(found, fmt.Sprintf("%s (%s) is dead, and its parent %s (%s) does not wait for it", who, name, commOf(parent), parent))
		}
	}
	return found
}

// zombie says whether a process is one that is not the first process's.
func zombie(pid string) (name, parent string, ok bool) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", "", false
	}
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')') // a name may hold anything
	if open < 0 || end < open {
		return "", "", false
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) < 2 || string(fields[0]) != "Z" || string(fields[1]) == "1" {
		return "", "", false
	}
	return string(text[open+1 : end]), string(fields[1]), true
}

func commOf(pid string) string {
	text, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(text))
}
