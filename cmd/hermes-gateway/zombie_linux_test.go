package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Row 34: who is dead and is not waited for by a parent that lives is shown with it: no
// init can help there.
func TestRow34ZombiesOfOthers(t *testing.T) {
	r := newRig(t, runtimeUID)
	cmd := exec.Command("sh", "-c", "sh -c 'exit 0' & exec sleep 1000")
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	children := fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid)
	dead := ""
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		text, err := os.ReadFile(children)
		must(t, err)
		dead = strings.TrimSpace(string(text))
		if stat, err := os.ReadFile("/proc/" + dead + "/stat"); dead != "" && err == nil && strings.Contains(string(stat), ") Z ") {
			if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid)); string(comm) == "sleep\n" {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatalf("no zombie: %q", dead)
		}
	}
	got := r.run("status", "--explain")
	want := regexp.MustCompile(fmt.Sprintf(`(?m)^sh \(%s\) is dead, and its parent sleep \(%d\) does not wait for it$`, dead, cmd.Process.Pid))
	if !want.MatchString(got.out) {
		t.Errorf("%+v", got)
	}
}
