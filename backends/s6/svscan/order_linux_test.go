package svscan_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// diary is what services write of themselves.
type diary struct {
	t    *testing.T
	path string
}

func newDiary(t *testing.T, dir string) diary {
	return diary{t, filepath.Join(filepath.Dir(dir), "diary")}
}

// life is a script that tells when it begins and when it is told to end.
func (d diary) life(name string) string {
	return "trap 'echo -" + name + " >>" + d.path + "; exit' TERM; echo +" + name + " >>" + d.path + "; while :; do sleep 1000 >/dev/null & wait; done"
}

// await waits until a word was written last. A file has no event for everybody.
func (d diary) await(word string) {
	d.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(insidePatience); !strings.HasSuffix(d.read(), word); <-tick.C {
		if time.Now().After(end) {
			d.t.Fatalf("they wrote %q, and not %s", d.read(), word)
		}
	}
}

func (d diary) read() string {
	text, err := os.ReadFile(d.path)
	if err != nil && !os.IsNotExist(err) {
		d.t.Error(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

// reports are the lines of a tree.
type reports struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func (r *reports) take(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, strings.TrimSuffix(line, "\n"))
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *reports) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// await waits for a line.
func (r *reports) await(t *testing.T, line string) {
	t.Helper()
	limit := time.NewTimer(insidePatience)
	defer limit.Stop()
	for !slices.Contains(r.all(), line) {
		select {
		case <-r.more:
		case <-limit.C:
			t.Fatalf("no %q among %q", line, r.all())
		}
	}
}

// ordered runs a tree whose reports are kept.
func ordered(t *testing.T, opts svscan.Options) (*inside, *reports) {
	t.Helper()
	r := &reports{more: make(chan struct{}, 1)}
	opts.Report = r.take
	return runInside(t, opts, nil), r
}

// What needs another is started when that is ready, and stopped before it.
func TestRow61Order(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	d := newDiary(t, dir)
	makeService(t, dir, "a", d.life("c"))
	makeService(t, dir, "b", "echo >&3; exec 3>&-; "+d.life("b"))
	makeService(t, dir, "c", d.life("a"))
	leave(t, dir, map[string]string{"b/notification-fd": "3\n", "a/dependencies.d/b": "", "b/dependencies.d/c": ""})
	in, r := ordered(t, svscan.Options{Dir: dir})
	r.await(t, "all-ready")
	await(t, dir, "a", sm.StateUp)
	d.await("+c")
	in.end()
	if got := d.read(); got != "+a +b +c -c -b -a" {
		t.Errorf("their lives are %q", got)
	}
	if got := r.all(); !slices.Equal(got, []string{"ready", "all-ready"}) {
		t.Errorf("reports are %q", got)
	}
	if w := in.warned(); w != "" {
		t.Error(w)
	}
}

// Nobody is ready before they say so.
func TestRow85WaitsForReadiness(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	gate := filepath.Join(filepath.Dir(dir), "gate")
	makeService(t, dir, "first", "until test -e "+gate+"; do sleep 0.01; done; echo >&3; exec sleep 1000")
	makeService(t, dir, "second", "exec sleep 1000")
	leave(t, dir, map[string]string{"first/notification-fd": "3\n", "second/dependencies.d/first": ""})
	_, r := ordered(t, svscan.Options{Dir: dir})
	st := awaitThat(t, dir, "second", func(st sm.Status) bool { return st.Problem != "" && st.State != sm.StateUnknown })
	if st.State != sm.StateStarting || st.Problem != "waits for first" || st.PID != 0 {
		t.Errorf("it is %+v", st)
	}
	await(t, dir, "first", sm.StateStarting)
	mustDo(t, os.WriteFile(gate, nil, 0o644))
	await(t, dir, "second", sm.StateUp)
	r.await(t, "all-ready")
}

// A oneshot is run once in a boot. It is there when it has exited 0, and is undone at
// the end.
func TestOneshot(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	d := newDiary(t, dir)
	makeService(t, dir, "prepare", "echo prepare >>"+d.path)
	makeService(t, dir, "web", d.life("web"))
	leave(t, dir, map[string]string{
		"prepare/type": "oneshot\n", "prepare/undo": "#!/bin/sh\necho undo >>" + d.path + "\n",
		"web/dependencies.d/prepare": "", "web/type": "longrun\n",
	})
	mustDo(t, os.Chmod(filepath.Join(dir, "prepare/undo"), 0o755))
	want := ""
	for i, boot := range []string{"one", "one", "two"} {
		in, r := ordered(t, svscan.Options{Dir: dir, Boot: boot})
		r.await(t, "all-ready")
		await(t, dir, "web", sm.StateUp)
		if st := await(t, dir, "prepare", sm.StateDown); i != 1 && (st.LastExit == nil || st.LastExit.Code != 0) || st.Problem != "" {
			t.Errorf("prepare is %+v", st)
		}
		if i != 1 {
			want += "prepare "
		}
		want += "+web "
		d.await("+web")
		in.end()
		want += "-web undo "
		if got := d.read(); got+" " != want {
			t.Errorf("boot %s: %q, want %q", boot, got, want)
		}
	}
}

// What cannot come is told, with what needs it, and does not hold up the others.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	for name, script := range map[string]string{
		"fails": "exit 3", "needs-fails": "exec sleep 1000", "slow": "exec sleep 1000", "needs-absent": "exec sleep 1000",
		"round": "exec sleep 1000", "about": "exec sleep 1000", "permanent": "exit 4", "well": "exec sleep 1000", "off": "exec sleep 1000",
	} {
		makeService(t, dir, name, script)
	}
	leave(t, dir, map[string]string{
		"fails/type": "oneshot\n", "needs-fails/dependencies.d/fails": "",
		"slow/notification-fd": "3\n", "slow/timeout-up": "100\n", "needs-absent/dependencies.d/absent": "",
		"round/dependencies.d/about": "", "about/dependencies.d/round": "",
		"permanent/finish": "#!/bin/sh\nexit 125\n", "permanent/essential": "", "off/down": "",
	})
	mustDo(t, os.Chmod(filepath.Join(dir, "permanent/finish"), 0o755))
	in, r := ordered(t, svscan.Options{Dir: dir})
	r.await(t, "all-ready")
	for _, line := range []string{
		"gave-up fails it has failed: exit code 3", "gave-up needs-fails it needs fails",
		"gave-up slow it is not ready in the time that timeout-up gives it",
		"gave-up needs-absent it needs absent, which is not in the scan directory",
		"gave-up permanent it is not started again: exit code 4", "essential permanent 4",
	} {
		r.await(t, line)
	}
	// Which of the two is seen first is chance.
	if text := strings.Join(r.all(), "\n"); strings.Count(text, "gave-up round it needs about") != 1 || strings.Count(text, "gave-up about it needs round") != 1 {
		t.Errorf("reports are %q", text)
	}
	await(t, dir, "well", sm.StateUp)
	if st := await(t, dir, "fails", sm.StateFailed); !strings.Contains(st.Problem, "once") {
		t.Errorf("it is %+v", st)
	}
	// What needs it begins when somebody has mended it.
	syscall.ForkLock.RLock()
	err := os.WriteFile(filepath.Join(dir, "fails/run"), []byte("#!/bin/sh\n"), 0o755)
	syscall.ForkLock.RUnlock()
	mustDo(t, err)
	order(t, dir, "fails", "u")
	await(t, dir, "needs-fails", sm.StateUp)
	in.end() // also where two wait for each other
}

// A service that has its time to stop and does not is killed, and the one that it
// needs is stopped after it.
func TestTimeoutDown(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	d := newDiary(t, dir)
	makeService(t, dir, "base", d.life("base"))
	makeService(t, dir, "deaf", "trap '' TERM; echo deaf >>"+d.path+"; while :; do sleep 0.1; done")
	leave(t, dir, map[string]string{"deaf/timeout-down": "100\n", "deaf/dependencies.d/base": ""})
	in, r := ordered(t, svscan.Options{Dir: dir})
	r.await(t, "all-ready")
	d.await("deaf")
	in.end()
	if got := d.read(); got != "+base deaf -base" || !strings.Contains(in.warned(), "deaf has not ended in the time that timeout-down gives it") {
		t.Errorf("%q, %s", got, in.warned())
	}
}

// The supervisor of a oneshot begins anew: what is done stays so, and what has failed
// is run again, and is not taken for done.
func TestOneshotBeginsAnew(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	d := newDiary(t, dir)
	makeService(t, dir, "done", "echo done >>"+d.path)
	makeService(t, dir, "fails", "echo fails >>"+d.path+"; exit 3")
	makeService(t, dir, "web", "exec sleep 1000")
	leave(t, dir, map[string]string{"done/type": "oneshot\n", "fails/type": "oneshot\n", "fails/dependencies.d/done": "", "web/dependencies.d/fails": ""})
	_, r := ordered(t, svscan.Options{Dir: dir})
	r.await(t, "all-ready")
	order(t, dir, "done", "x")
	order(t, dir, "fails", "x")
	d.await("fails fails")
	await(t, dir, "fails", sm.StateFailed)
	st := await(t, dir, "done", sm.StateDown)
	if got := d.read(); got != "done fails fails" || st.WantUp {
		t.Errorf("%q, %+v", got, st)
	}
	if _, err := os.Stat(filepath.Join(dir, "fails/data/done")); err == nil {
		t.Error("what has failed is taken for done")
	}
	if st := await(t, dir, "web", sm.StateStarting); st.Problem != "waits for fails" {
		t.Errorf("%+v", st)
	}
}

// order writes into a service's control FIFO, once its supervisor reads it.
func order(t *testing.T, dir, name, bytes string) {
	t.Helper()
	fifo, err := os.OpenFile(filepath.Join(dir, name, "supervise/control"), os.O_WRONLY, 0)
	mustDo(t, err)
	_, err = fifo.WriteString(bytes)
	mustDo(t, errors.Join(err, fifo.Close()))
}
