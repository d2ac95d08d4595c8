package procs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// sleeper is a run that lives until it is told to end.
const sleeper = "exec sleep 1000\n"

// listDescriptors puts those that are open into $list, without the one by which
// the shell reads the script (10 in dash, 255 in bash).
const listDescriptors = `set -- /proc/$$/fd/*
for f; do
	case ${f##*/} in 10 | 255) continue ;; esac
	[ ! -e $f ] || list="$list ${f##*/}"
done
`

// Up, down, up again, driven and watched by s6's own tools only.
func TestLife(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{
		"run":    "echo $# $0 $1 $$ \"$PWD\" >>lives\n" + sleeper,
		"finish": "echo $# $0 $* >>ends\n",
		"down":   "",
	})
	s := supervised(t, newBase(t), dir)
	s.svwait("-D")
	if got := s.stat("pid,wantedup,normallyup"); got != "-1 false false" {
		t.Errorf("before the first start: %s", got)
	}
	s.svc("-wu", "-u")
	first := s.pid()
	if got := s.stat("wantedup,ready,paused"); got != "true false false" {
		t.Errorf("up: %s", got)
	}
	s.svc("-wD", "-d")
	if got := s.stat("pid,wantedup,exitcode,signum"); got != "-1 false -1 15" {
		t.Errorf("down: %s", got)
	}
	s.svc("-wu", "-u")
	second := s.pid()
	s.svc("-wD", "-dx")
	must(t, s.left())
	s.wantFile("lives", fmt.Sprintf("1 ./run web %d %s", first, dir), fmt.Sprintf("1 ./run web %d %s", second, dir))
	// s6-supervise 2.15 tells finish the group as well.
	s.wantFile("ends", fmt.Sprintf("4 ./finish 256 15 web %d", first), fmt.Sprintf("4 ./finish 256 15 web %d", second))
	s.wantEvents("sudDudDx")
	if w := s.warnings(); w != "" {
		t.Error("warnings:", w)
	}
}

// A process gets the directory, its three descriptors, an empty mask, a session
// of its own, and nothing else.
func TestWhatAProcessGets(t *testing.T) {
	t.Parallel()
	report := listDescriptors + `
	list="$(readlink /proc/$$/fd/2) $list $(grep -E '^(SigBlk|Pid|NSsid)' /proc/$$/status) $(cat)"
	echo $list >got; echo words; exec sleep 1000
	`
	dir := makeService(t, map[string]string{"run": report, "notification-fd": "3\n"})
	input, output := stdio(t, "the input")
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	must(t, err)
	defer stderr.Close()
	s := supervised(t, newBase(t), dir, func(s *subject) { s.procs.Stdio, s.procs.Stderr = input, int(stderr.Fd()) })
	s.svwait("-u")
	got := s.file("got")[0]
	want := fmt.Sprintf("%s 0 1 2 3 Pid: %d NSsid: %[2]d SigBlk: 0000000000000000 the input", stderr.Name(), s.pid())
	if got != want {
		t.Errorf("a process tells of itself %q, want %q", got, want)
	}
	if got := output(); got != "words\n" {
		t.Errorf("it writes %q", got)
	}
}

// Readiness on any descriptor; NOTIFY_FD names it.
func TestReadiness(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	for _, fd := range []int{3, 7, 100} {
		t.Run(strconv.Itoa(fd), func(t *testing.T) {
			t.Parallel()
			dir := makeService(t, map[string]string{
				"run": listDescriptors + "echo $list >fds\nread line <go\nprintf not-yet >/proc/self/fd/$NOTIFY_FD\nread line <go\n" +
					"echo yes >/proc/self/fd/$NOTIFY_FD\necho more >/proc/self/fd/$NOTIFY_FD\n" + sleeper,
				"notification-fd": strconv.Itoa(fd) + "\n",
			})
			fifo := filepath.Join(dir, "go")
			must(t, unix.Mkfifo(fifo, 0o600))
			keep, err := os.OpenFile(fifo, os.O_RDWR, 0) // waits for nobody, and nothing is lost
			must(t, err)
			defer keep.Close()
			goOn := func() {
				_, err := keep.WriteString("\n")
				must(t, err)
			}
			s := supervised(t, b, dir)
			s.svwait("-u")
			goOn()
			if got := s.stat("ready"); got != "false" {
				t.Errorf("ready before it said so: %s", got)
			}
			goOn()
			s.svwait("-U")
			if got := s.stat("ready,pid"); got != fmt.Sprint("true ", s.pid()) {
				t.Errorf("ready: %s", got)
			}
			s.wantFile("fds", strings.Join(slices.Sorted(slices.Values([]string{"0", "1", "2", strconv.Itoa(fd)})), " "))
			s.svc("-wD", "-d")
			s.wantEvents("suUdD")
		})
	}
}

// Whoever is not asked to announce readiness is not told of a descriptor, least
// of all of somebody else's.
func TestNoDescriptorNoVariable(t *testing.T) {
	t.Setenv("NOTIFY_FD", "17")
	b := newBase(t)
	for _, env := range [][]string{nil, procs.Environ(os.Environ())} {
		dir := makeService(t, map[string]string{"run": "echo \"${NOTIFY_FD-none} ${PATH:+path}\" >env\n" + sleeper})
		s := supervised(t, b, dir, func(s *subject) { s.procs.Env = env })
		s.wantFile("env", "none path")
		s.svwait("-u")
		s.svc("-wD", "-d")

		must(t, os.Remove(filepath.Join(dir, "env")))
		must(t, os.WriteFile(filepath.Join(dir, "notification-fd"), []byte("4"), 0o644))
		s.svc("-u")
		s.wantFile("env", "4 path")
	}
}

// The newline counts also if the process is dead before anybody looks.
func TestReadyAndDeadAtOnce(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{"run": "echo >&3\n", "notification-fd": "3\n", "down": ""})
	s := supervised(t, newBase(t), dir)
	want := "s"
	for range 20 {
		s.svc("-o")
		want += "uUdD"
		s.wantEvents(want)
	}
}

// One that closes the pipe, or dies, without a word never is ready.
func TestNeverReady(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{"run": "printf word >&3\nexec 3>&-\n" + sleeper, "notification-fd": "3\n"})
	s := supervised(t, newBase(t), dir)
	s.svwait("-u")
	s.svc("-wD", "-d")
	s.wantEvents("sudD")
}

// Who writes without end, and no newline, holds nobody up: neither the other
// services nor his own end.
func TestFloodOfReadiness(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	flood := supervised(t, b, makeService(t, map[string]string{
		"run": "exec tr '\\0' x </dev/zero >&3\n", "notification-fd": "3\n",
	}))
	other := supervised(t, b, makeService(t, map[string]string{
		"run": "echo >&3\n" + sleeper, "notification-fd": "3\n",
	}))
	other.svwait("-U")
	flood.svwait("-u")
	flood.svc("-wD", "-d")
	other.svc("-wD", "-d")
	flood.wantEvents("sudD")
}

// Finish that exits 125 gives up.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{"run": "exit 7\n", "finish": "echo $* >args\nexit 125\n",
		"notification-fd": "3\n", "down": ""})
	s := supervised(t, newBase(t), dir)
	s.svwait("-D")
	if out, code := s.try("s6-svc", "-wU", "-T", "10000", "-u"); code == 0 {
		t.Errorf("s6-svc -wU -u succeeds: %s", out)
	}
	s.wantEvents("sudOD")
	if got := s.stat("pid,wantedup,exitcode"); got != "-1 false 7" {
		t.Errorf("given up: %s", got)
	}
	if got := s.file("args")[0]; !strings.HasPrefix(got, "7 0 web ") {
		t.Errorf("finish gets %q", got)
	}
}

// Once is once.
func TestOnce(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{"run": "echo ran >>runs\n", "down": ""})
	s := supervised(t, newBase(t), dir)
	s.svc("-o")
	s.wantEvents("sudD")
	if got := s.stat("wantedup,exitcode"); got != "false 0" {
		t.Errorf("after once: %s", got)
	}
	s.wantFile("runs", "ran")
	if out := s.tool("s6-svdt"); strings.Count(out, "\n") != 0 || !strings.HasSuffix(out, " exitcode 0") {
		t.Errorf("s6-svdt says %q", out)
	}
}

// Pause stops it, and resume lets it go on.
func TestPause(t *testing.T) {
	t.Parallel()
	s := supervised(t, newBase(t), makeService(t, map[string]string{"run": sleeper}))
	s.svwait("-u")
	for _, tc := range []struct{ command, paused, states string }{{"-p", "true", "T"}, {"-c", "false", "SRD"}} {
		s.svc(tc.command)
		until(t, "not paused: "+tc.paused, func() bool { return s.stat("paused") == tc.paused })
		until(t, "state "+tc.states, func() bool {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid()))
			must(t, err)
			_, rest, _ := strings.Cut(string(b), ") ")
			return strings.Contains(tc.states, rest[:1])
		})
	}
	s.svc("-p")
	s.svc("-wD", "-d") // which lets it go on, so that it can end
}

// Whoever does not end is killed, with its group where so asked.
func TestTimeoutKill(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	for _, group := range []bool{false, true} {
		t.Run(fmt.Sprint("group ", group), func(t *testing.T) {
			t.Parallel()
			files := map[string]string{
				"run": "trap '' TERM\nsleep 1000 &\necho $! >helper\nwait\n", "timeout-kill": "50\n",
				"notification-fd": "3\n",
			}
			if group {
				files["flag-timeout-killpg"] = ""
			}
			s := supervised(t, b, makeService(t, files))
			helper, err := strconv.Atoi(s.file("helper")[0])
			must(t, err)
			s.svwait("-u")
			s.svc("-wD", "-d")
			if got := s.stat("exitcode,signum"); got != "-1 9" {
				t.Errorf("killed: %s", got)
			}
			if group {
				until(t, "the helper lives on", func() bool { return !alive(helper) })
			} else if !alive(helper) {
				t.Error("the helper was killed as well")
			}
		})
	}
}

// alive says whether there is a process that is no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

// A finish that hangs is killed.
func TestTimeoutFinish(t *testing.T) {
	t.Parallel()
	s := supervised(t, newBase(t), makeService(t, map[string]string{
		"run": sleeper, "finish": "trap '' TERM\necho $$ >finishing\n" + sleeper, "timeout-finish": "300\n",
	}))
	s.svwait("-u")
	s.svc("-wd", "-d")
	pid, err := strconv.Atoi(s.file("finishing")[0])
	must(t, err)
	s.svwait("-D")
	if alive(pid) {
		t.Error("finish is alive")
	}
	if got := s.stat("exitcode,signum"); got != "-1 15" {
		t.Errorf("afterwards: %s", got) // of run, not of finish
	}
}

// After x, what is started has /dev/null.
func TestReleaseStdio(t *testing.T) {
	t.Parallel()
	input, _ := stdio(t, "")
	s := supervised(t, newBase(t), makeService(t, map[string]string{
		"run":    "has=$(readlink /proc/$$/fd/0 /proc/$$/fd/1)\necho \"$has\" >stdio\n" + sleeper,
		"finish": "has=$(readlink /proc/$$/fd/0 /proc/$$/fd/1)\necho \"$has\" >stdio-of-finish\n",
	}), func(s *subject) { s.procs.Stdio = input })
	if got := s.file("stdio"); len(got) != 2 || !strings.Contains(got[0], "input") || !strings.HasPrefix(got[1], "pipe:") {
		t.Errorf("run has %q", got)
	}
	s.svc("-x")
	s.svc("-d")
	must(t, s.left())
	s.wantFile("stdio-of-finish", "/dev/null", "/dev/null")
	s.wantEvents("sudDx")
}

// Nothing is left of a hundred lives: no descriptor, no process.
func TestNothingIsLeft(t *testing.T) {
	dir := makeService(t, map[string]string{"run": "echo >&3\n", "notification-fd": "3\n", "finish": "exit 0\n", "down": ""})
	s := supervised(t, newBase(t), dir)
	once := func() {
		seen := s.events()
		s.svc("-o")
		s.wantEvents(seen + "uUdD")
	}
	s.wantEvents("s")
	once()
	before := descriptors(t)
	for range 100 {
		once()
	}
	// The notifier may still be at it.
	until(t, "descriptors are left", func() bool { return len(descriptors(t)) <= len(before) })
	until(t, "processes are left", func() bool { return len(s6test.Below(dir)) == 0 })
}

func descriptors(t testing.TB) (open []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			open = append(open, to)
		}
	}
	slices.Sort(open)
	return open
}
