package smtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Report is what a process was given when it was started.
type Report struct {
	Env  []string // KEY=VALUE, in the order of the process
	Args []string // what followed [Args]
	Dir  string   // working directory
	UID  int      // effective ids; -1 where the system has none
	GID  int

	// The rest is known on Linux only.

	Files   []string // "0 /dev/null": the descriptors that were inherited
	Signals []string // "SigIgn: 0000000000000000" and its like, from proc(5)
	NoFile  uint64   // hard limit of descriptors
}

// takeReport is called before the program has changed anything.
func takeReport() Report {
	r := Report{Env: os.Environ(), UID: os.Geteuid(), GID: os.Getegid()}
	for i, word := range os.Args {
		if word == "args=" {
			r.Args = os.Args[i+1:]
			break
		}
	}
	r.Dir, _ = os.Getwd() // a test that looks at it sees that it is empty
	r.addSystem()
	return r
}

// write makes one file for each field. Lists are separated by NUL, which no
// member can contain.
func (r Report) write(dir string) error {
	var errs []error
	for name, content := range map[string]string{
		"env":     strings.Join(r.Env, "\x00"),
		"args":    strings.Join(append([]string{"args"}, r.Args...), "\x00"),
		"dir":     r.Dir,
		"ids":     fmt.Sprint(r.UID, " ", r.GID),
		"files":   strings.Join(r.Files, "\x00"),
		"signals": strings.Join(r.Signals, "\x00"),
		"nofile":  fmt.Sprint(r.NoFile),
	} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	return errors.Join(errs...)
}

// ReadReport reads what [WriteReport] wrote.
func ReadReport(dir string) (Report, error) {
	var r Report
	var errs []error
	text := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		errs = append(errs, err)
		return string(b)
	}
	list := func(name string) []string {
		if s := text(name); s != "" {
			return strings.Split(s, "\x00")
		}
		return nil
	}
	scan := func(name string, into ...any) {
		if _, err := fmt.Sscan(text(name), into...); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	r.Env, r.Dir, r.Files, r.Signals = list("env"), text("dir"), list("files"), list("signals")
	if args := list("args"); len(args) > 0 {
		r.Args = args[1:] // the first tells an empty list from one empty word
	}
	scan("ids", &r.UID, &r.GID)
	scan("nofile", &r.NoFile)
	return r, errors.Join(errs...)
}
