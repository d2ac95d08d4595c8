package servicedir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// finishing is a service directory whose run has just died for the tenth time
// within a second.
func finishing(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	syscall.ForkLock.RLock() // or a process that is forked now keeps finish open for writing
	defer syscall.ForkLock.RUnlock()
	for _, e := range Render(sm.Spec{Name: "web", Command: []string{"/usr/bin/web"}, FatalExitCodes: []int{78}}, Env{}) {
		path := filepath.Join(dir, e.Path)
		err := os.MkdirAll(path, 0o755)
		if !e.Dir {
			err = errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(e.Data), os.FileMode(e.Perm)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var tally []byte
	for range DeathsToPark {
		tally = status.Death{At: time.Now(), Code: 3}.Append(tally)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "supervise"), 0o700), os.WriteFile(filepath.Join(dir, TallyFile), tally, 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// finish runs it as a supervisor does, once the record of what is under way
// says record (with the pid of finish for %d), and returns its exit code.
func finish(t *testing.T, dir, record string, args ...string) int {
	t.Helper()
	// It waits for the record, which names it.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `read -r go && exec ./finish "$@"`, "sh"}, args...)...)
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if record != "" {
		record = string(bytes.ReplaceAll([]byte(record), []byte("%d"), []byte(strconv.Itoa(cmd.Process.Pid))))
		if err := os.WriteFile(filepath.Join(dir, InstanceFile), []byte(record), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(in, "go")
	_ = cmd.Wait() // the exit code says it
	if out.Len() > 0 {
		t.Errorf("finish says %q", out.String())
	}
	return cmd.ProcessState.ExitCode()
}

// Our own tree tries a crash loop for ever, s6 gives it up: finish tells them
// apart by the record that only ours keeps, and is not taken in by one that was
// left behind.
func TestCapOnlyWithoutOwnTree(t *testing.T) {
	const host = " 500 boot 4026531836 up none\n"
	tests := []struct {
		name   string
		record string // supervise/instance; %d is finish
		args   []string
		parked bool
	}{
		{"s6", "", []string{"3", "0", "web", "4711"}, true},
		{"s6 before 2.13", "", []string{"3", "0", "web"}, true},
		{"own tree that starts finish", "v1 starting 4711" + host, []string{"3", "0", "web", "4711"}, false},
		{"own tree that has started it", "v1 finish %d" + host, []string{"3", "0", "web", "4711"}, false},
		{"own tree that could not write", "v1 run 4711" + host, []string{"256", "9", "web", "4711"}, false},
		{"own tree, killed before s6", "v1 run 12" + host, []string{"3", "0", "web", "4711"}, true},
		{"own tree, ended before s6", "v1 none 0" + host, []string{"3", "0", "web", "4711"}, true},
		{"own tree, ended before s6 of 2.12", "v1 none 0" + host, []string{"3", "0", "web"}, true},
		{"an empty record", "\n", []string{"3", "0", "web"}, true},
		{"a record of nothing", "", []string{"3", "0", "web", ""}, true},
		{"own tree, fatal exit", "v1 finish %d" + host, []string{"78", "0", "web", "4711"}, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := finishing(t)
			code := finish(t, dir, tc.record, tc.args...)
			_, err := os.Stat(filepath.Join(dir, ParkedFile))
			if parked := err == nil; parked != tc.parked || (code == 125) != tc.parked || !tc.parked && code != 0 {
				t.Errorf("exit code %d, parked: %v, want parked: %v", code, parked, tc.parked)
			}
		})
	}
}
