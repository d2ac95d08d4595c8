package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// Roles of the test binary, the first word of its command line. So the race
// detector sees the tree and its log process where it sees the test.
const (
	userRole = "chaos-user"
	treeRole = "chaos-tree"
	logRole  = "chaos-log"
)

// Variables of the process in which the test is done.
const (
	insideVar  = "CHAOS_INSIDE"  // the directory of the volume
	mountedVar = "CHAOS_MOUNTED" // set: there is a file system of its own
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == treeRole:
		os.Exit(treeMain(os.Args[2]))
	case len(os.Args) >= 2 && os.Args[1] == logRole:
		os.Exit(svscan.LogMain(os.Args[2:]))
	case len(os.Args) > 3 && os.Args[1] == userRole:
		os.Exit(userMain(os.Args[2:]))
	}
	// TestChaos sees to the other user itself.
	os.Exit(m.Run())
}

// treeMain is the tree. At its end it tells what it leaks.
func treeMain(scan string) int {
	exe, err := os.Executable()
	if err != nil {
		return treeFailed(err)
	}
	if err := unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return treeFailed(err)
	}
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	if err := usePoller(); err != nil {
		return treeFailed(err)
	}
	goroutines, files := runtime.NumGoroutine(), openFiles(os.Getpid())
	tree, err := newTree(svscan.Options{
		Dir: scan, LogCommand: []string{exe, logRole}, Version: "chaos",
		Max: 4 * services(),
		Ready: func() {
			unix.Write(3, []byte{'\n'})
			unix.Close(3)
		},
		Warn: func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err != nil {
		return treeFailed(err)
	}
	go func() {
		<-terms
		tree.Control("t")
	}()
	if err := tree.Run(context.Background()); err != nil {
		return treeFailed(err)
	}
	return leaks(goroutines, files)
}

// usePoller has the runtime open what it waits with, which it keeps.
func usePoller() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	w.Close()
	return r.Close()
}

func treeFailed(err error) int {
	fmt.Fprintln(os.Stderr, "the tree failed:", err)
	return 111
}

// newTree takes the directory, as who restarts a tree would: a child that was
// being made when the last one was killed may have the lock for an instant.
func newTree(opts svscan.Options) (tree *svscan.Tree, err error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		if tree, err = svscan.New(opts); err == nil {
			break
		}
		<-tick.C
	}
	return tree, err
}

// leaks gives what is ending a moment, and tells what stays.
func leaks(goroutines int, files []string) int {
	most := len(files) - 1 // descriptor 3 was closed
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		if runtime.NumGoroutine() <= goroutines && len(openFiles(os.Getpid())) <= most {
			return 0
		}
		<-tick.C
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	fmt.Fprintf(os.Stderr, "LEAK: %d goroutines, want %d; descriptors %v, had %v\n%s\n",
		runtime.NumGoroutine(), goroutines, openFiles(os.Getpid()), files, stacks)
	return 1
}

// TestChaos is run by root and by another user, each in a mount namespace of its
// own, so that the volume goes with it. Where this is not root there is no volume
// that could be filled.
func TestChaos(t *testing.T) {
	if os.Getenv(insideVar) != "" {
		chaos(t)
		return
	}
	if testing.Short() {
		t.Skip("it takes CHAOS_TIME")
	}
	if os.Geteuid() != 0 {
		inside(t, os.Geteuid())
		return
	}
	for _, uid := range []int{0, s6test.User} {
		t.Run(fmt.Sprint("uid ", uid), func(t *testing.T) { inside(t, uid) })
	}
}

func inside(t *testing.T, uid int) {
	root := s6test.Dir(t, uid)
	volume, exe := filepath.Join(root, "volume"), filepath.Join(root, "chaos.test")
	must(t, os.Mkdir(volume, 0o700))
	must(t, os.Chown(volume, uid, uid))
	copyProgram(t, exe)
	args := []string{"-test.run=^TestChaos$", "-test.v", "-test.count=1", fmt.Sprint("-test.timeout=", duration()+10*time.Minute)}
	cmd := exec.Command(exe, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.Args = append([]string{exe, userRole, strconv.Itoa(uid)}, args...)
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNS
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVar+"="+volume)
	must(t, cmd.Run())
}

// userMain mounts the volume as root, which this is, and becomes the test of the
// user of args[0] then.
func userMain(args []string) int {
	uid, err := strconv.Atoi(args[0])
	if err == nil {
		err = mountVolume(os.Getenv(insideVar), uid)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos: nothing can be mounted, so the volume is never full:", err)
	} else {
		os.Setenv(mountedVar, "1")
	}
	if uid != 0 {
		err = errors.Join(syscall.Setgroups(nil), syscall.Setgid(uid), syscall.Setuid(uid))
		if err != nil {
			return treeFailed(err)
		}
	}
	exe, err := os.Executable()
	if err == nil {
		err = syscall.Exec(exe, append([]string{exe}, args[1:]...), os.Environ())
	}
	return treeFailed(err)
}

// copyProgram copies the test binary to where every user may execute it.
func copyProgram(t testing.TB, to string) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	syscall.ForkLock.RLock() // see fsat.Dir.Create
	defer syscall.ForkLock.RUnlock()
	must(t, os.WriteFile(to, b, 0o755))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// text is the end of a file, for messages.
func text(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
