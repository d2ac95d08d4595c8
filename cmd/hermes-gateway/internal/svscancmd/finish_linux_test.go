package svscancmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// report tells what a finish finds.
const report = `echo "name=$0 words=$# dir=$(pwd) color=$COLOR parent=$PPID pid=$$"
while read -r key value; do
	case $key in SigBlk:|SigIgn:) echo "$key$value" ;; esac
done </proc/self/status
`

// At its end the tree becomes the finish of the scan directory, whatever ended
// it: the same process, there, with its environment, and its code is ours.
func TestFinish(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "ABRT": sigABRT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.env = append(r.env, "COLOR=green")
			r.script(".s6-svscan/finish", report+"exit 7\n")
			must(t, os.Chmod(filepath.Join(r.scan, ".s6-svscan"), 0o700))
			tr := r.start(r.scan)
			tr.signal(s)
			tr.ends(7)
			want := fmt.Sprintf("name=.s6-svscan/finish words=0 dir=%s color=green parent=%d pid=%d\nSigBlk:%016x\nSigIgn:%016x\n",
				r.scan, os.Getpid(), tr.cmd.Process.Pid, 0, 0)
			// Signal 32 is the C library's own: a starter may have left it ignored.
			got := strings.Replace(tr.output(), "SigIgn:0000000080000000", "SigIgn:0000000000000000", 1)
			if got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
		})
	}
}

// It comes after everything else has ended.
func TestFinishComesLast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.script("web/run", "trap 'echo web ends; exit' TERM\necho web $$ >\"$SAID\"\nwhile :; do sleep 1000 & wait; done\n")
	r.script("web/finish", "echo web has ended\n")
	r.script(".s6-svscan/finish", "echo the end\n")
	tr := r.start(r.scan)
	r.heard()
	tr.signal(syscall.SIGTERM)
	tr.ends(0)
	if got := tr.output(); got != "web ends\nweb has ended\nthe end\n" {
		t.Errorf("%q", got)
	}
}

func TestFinishThatCannotBeExecuted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tr := r.start(r.scan)
	must(t, os.WriteFile(filepath.Join(r.scan, ".s6-svscan/finish"), nil, 0o600))
	tr.signal(syscall.SIGTERM)
	tr.ends(111)
	if got := tr.output(); !strings.Contains(got, "permission denied") {
		t.Error(got)
	}
}

// Root executes nothing that others could have put there.
func TestFinishOfSomebodyElse(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("others are refused by root only")
	}
	r := newRig(t)
	r.script(".s6-svscan/finish", "echo the end\n")
	must(t, os.Chown(filepath.Join(r.scan, ".s6-svscan/finish"), s6test.User, s6test.User))
	tr := r.start(r.scan)
	tr.signal(syscall.SIGTERM)
	tr.ends(100)
	if got := tr.output(); !strings.Contains(got, "refused") || strings.Contains(got, "the end") {
		t.Error(got)
	}
}
