package reaper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// asProgram names what this program is to do instead of its tests.
const asProgram = "REAPER_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if name := os.Getenv(asProgram); name != "" {
		os.Unsetenv(asProgram)
		if err := programs()[name](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(asOldKernel) != "" {
		if err := oldKernel(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	os.Exit(s6test.Main(m))
}

// programs are what needs a process that begins in a certain state, or that may
// be spoilt.
func programs() map[string]func() error {
	return map[string]func() error{
		"inherit":         inherit,
		"no-proc":         withoutProc,
		"no-proc-unshare": withoutProcAndUnshare,
		"no-pidfd":        withoutPidfd,
		"main-thread":     fromMainThread,
		"subreaper":       adoptOrphanOfOurs,
	}
}

const soon = 20 * time.Second

// running makes a reaper that runs until end.
func running() (r *Reaper, end func() error, err error) {
	r, err = New()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	return r, func() error {
		cancel(errEnd)
		if err := <-ran; !errors.Is(err, errEnd) {
			return fmt.Errorf("Run ended with %w, not with the cause", err)
		}
		return r.Close()
	}, nil
}

var errEnd = errors.New("the test ends")

// newReaper returns a reaper that runs until the test ends, and checks that
// nothing of it is left then. What it has started and still runs is killed.
func newReaper(t testing.TB) *Reaper {
	t.Helper()
	if f, w, err := os.Pipe(); err == nil { // what the runtime opens once is open now
		f.Close()
		w.Close()
	}
	before := descriptors(t)
	r, end, err := running()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
		for pid := range r.own {
			(&child{pid: pid}).end()
		}
		if after := descriptors(t); after != before {
			t.Errorf("%d descriptors open after Close, %d before New", after, before)
		}
	})
	return r
}

func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// exits is a Spec.Exited and the channel it sends to.
func exits() (func(Exit), <-chan Exit) {
	c := make(chan Exit, 10)
	return func(e Exit) { c <- e }, c
}

func receive[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(soon):
		t.Fatal("no", what)
	}
	return v
}

// start starts a program that must start.
func start(t testing.TB, r *Reaper, spec Spec) *Process {
	t.Helper()
	p, err := r.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sh is a Spec that runs a script.
func sh(script string, args ...string) Spec {
	return Spec{Path: "/bin/sh", Args: append([]string{"sh", "-c", script, "sh"}, args...), Dir: -1, Files: []int{-1, -1, 2}}
}

// output runs a program to its end.
func output(r *Reaper, spec Spec) (string, Exit, error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return "", Exit{}, err
	}
	defer pr.Close()
	ended := make(chan Exit, 1)
	spec.Exited = func(e Exit) { ended <- e }
	for len(spec.Files) < 3 {
		spec.Files = append(spec.Files, 2)
	}
	spec.Files[1] = int(pw.Fd())
	_, err = r.Start(spec)
	pw.Close()
	if err != nil {
		return "", Exit{}, err
	}
	b, err := io.ReadAll(pr)
	if err != nil {
		return "", Exit{}, err
	}
	return string(b), <-ended, nil
}

func script(t testing.TB, r *Reaper, text string, args ...string) string {
	t.Helper()
	out, exit, err := output(r, sh(text, args...))
	if err != nil || exit != (Exit{}) {
		t.Fatalf("%s: %v, %v", text, exit, err)
	}
	return strings.TrimSpace(out)
}

// settle returns when all exits told before have been dealt with.
func settle(t testing.TB, r *Reaper) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])
	unix.Close(p[1]) // the end can be read
	done := make(chan struct{})
	w, err := r.mux.Add(p[0], func(uint32) bool { close(done); return false })
	if err != nil {
		t.Fatal(err)
	}
	receive(t, done, "round")
	w.Remove()
}

// executable writes a program.
func executable(t testing.TB, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock() // or a child holds it open for writing: ETXTBSY
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func openDir(t testing.TB, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// self runs this program as another.
func self(t testing.TB, r *Reaper, name string, spec Spec) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if spec.Path == "" {
		spec.Path, spec.Args = exe, []string{exe}
	}
	spec.Dir = -1
	spec.Env = append(os.Environ(), asProgram+"="+name)
	out, exit, err := output(r, spec)
	if err != nil {
		t.Fatal(err)
	}
	if text, skipped := strings.CutPrefix(out, "skip: "); skipped {
		t.Skip(text)
	}
	if exit != (Exit{}) || out != "" {
		t.Errorf("%s: %s, exit status %d", name, out, exit.Status.ExitStatus())
	}
}
