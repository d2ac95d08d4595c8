package s6

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// tool runs a program of s6 and returns its output.
func (r *rig) tool(name string, args ...string) string {
	r.t.Helper()
	out, err := exec.CommandContext(r.ctx, s6test.Tool(r.t, name), args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// compareWithTool checks that s6-svstat says the same as we do.
func compareWithTool(t testing.TB, r *rig, what, name string) {
	t.Helper()
	st := r.status(name)
	got := r.tool("s6-svstat", "-o", "up,wantedup,normallyup,ready,paused,pid", r.path(name))
	pid := st.PID
	if pid == 0 {
		pid = -1
	}
	// Our Ready is also that of a service that never announces it, the tool's is not.
	ready := st.Ready && r.open(name).announces()
	want := []string{
		strconv.FormatBool(st.Running()), strconv.FormatBool(st.WantUp), strconv.FormatBool(st.Enabled),
		strconv.FormatBool(ready), strconv.FormatBool(st.Paused), strconv.Itoa(pid),
	}
	if got != strings.Join(want, " ") {
		t.Errorf("%s: s6-svstat says %q, we say %q", what, got, want)
	}
	if st.Running() || st.LastExit == nil {
		return
	}
	code, signal := strconv.Itoa(st.LastExit.Code), "NA"
	if st.LastExit.Signal != 0 {
		code, signal = "-1", sm.SignalName(st.LastExit.Signal)
	}
	if got, want := r.tool("s6-svstat", "-o", "exitcode,signal", r.path(name)), code+" "+signal; got != want {
		t.Errorf("%s: s6-svstat says %q, we say %q", what, got, want)
	}
}
