package pid1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// startProgram starts the main program: in a process group of its own, which is
// that of the terminal where ours was.
func (i *initProcess) startProgram(foreground bool) (int, error) {
	argv := i.o.Command
	path, err := lookPath(argv[0], i.env)
	if err != nil {
		return 0, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true, Foreground: foreground, Credential: i.credential()}
	if relay := i.o.ListenRelay; len(relay) > 0 && i.listenPIDIsOurs() {
		return i.fork(relay[0], slices.Concat(relay, []string{path}, argv), attr)
	}
	pid := 0
	err = execvp(path, argv, func(path string, argv []string) (err error) {
		pid, err = i.fork(path, argv, attr)
		return err
	})
	return pid, err
}

// Exec makes this process the program at a path, as a main program is started. It
// returns only when that failed.
func Exec(path string, argv, env []string) error {
	return execvp(path, argv, func(path string, argv []string) error { return syscall.Exec(path, argv, env) })
}

// execvp has a text without #! run by a shell, as execvp(3) has it.
func execvp(path string, argv []string, run func(path string, argv []string) error) error {
	err := run(path, argv)
	if errors.Is(err, syscall.ENOEXEC) && isText(path) {
		err = run("/bin/sh", append([]string{"/bin/sh", path}, argv[1:]...))
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", path, err)
	}
	return nil
}

// listenPIDIsOurs says whether the descriptors of a socket activation are said to be
// for this process, so that they are for the program: sd_listen_fds(3).
func (i *initProcess) listenPIDIsOurs() bool {
	return slices.Contains(i.env, "LISTEN_PID="+strconv.Itoa(os.Getpid()))
}

// isText tells a text from a program for another machine, which no shell can
// make sense of: its first line has no NUL.
func isText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 128)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) { // it may be empty
		return false
	}
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return bytes.IndexByte(line, 0) < 0
}

// startTree starts the supervision tree, in a session of its own. It gets TERM
// when the thread that calls this ends. What it reports is to be read.
func (i *initProcess) startTree() (pid int, reports *os.File, err error) {
	reports, w, err := reportPipe()
	if err != nil {
		return 0, nil, err
	}
	defer unix.Close(w)
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM, Credential: i.credential()}
	pid, err = i.forkIn("", i.sideEnv(), i.o.Tree[0], i.o.Tree, attr, 0, 1, 2, uintptr(w)) // the last is TreeReports
	if err != nil {
		reports.Close()
		return 0, nil, err
	}
	return pid, reports, nil
}

// credential has a start fail where it cannot be set: nobody runs as who was
// meant to be left behind.
func (i *initProcess) credential() *syscall.Credential {
	if i.o.Identity == nil {
		return nil
	}
	return &syscall.Credential{Uid: i.o.Identity.UID, Gid: i.o.Identity.GID, Groups: i.o.Identity.Groups}
}

// fork has the child begin with an empty signal mask and everything else as we
// were given it. The calling goroutine must own its thread.
func (i *initProcess) fork(path string, argv []string, attr *syscall.SysProcAttr) (int, error) {
	return i.forkIn("", i.env, path, argv, attr, 0, 1, 2)
}

// sideEnv is the environment of all but the program.
func (i *initProcess) sideEnv() []string {
	if i.o.SideEnv != nil {
		return i.o.SideEnv
	}
	return i.env
}

// forkIn is fork with another working directory, environment and descriptors.
func (i *initProcess) forkIn(dir string, env []string, path string, argv []string, attr *syscall.SysProcAttr, files ...uintptr) (int, error) {
	var none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil); err != nil {
		return 0, err
	}
	if i.o.NoNewPrivs {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return 0, fmt.Errorf("no_new_privs: %w", err)
		}
	}
	return i.kids.start(func() (int, int, error) {
		pidfd := -1
		attr := *attr
		attr.PidFD = &pidfd
		pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Dir: dir, Env: env, Files: files, Sys: &attr})
		return pid, pidfd, err
	})
}

// apart runs something that forks on a thread that nobody uses after it, as it
// changes the thread.
func apart(f func()) {
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		f()
	}()
}

// lookPath finds a program as execvp(3) does: what has a slash is a path; in
// PATH an empty entry is the working directory.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	var refused error
	if name != "" {
		for _, dir := range filepath.SplitList(pathOf(env)) {
			if dir == "" {
				dir = "."
			}
			path := dir + "/" + name
			err := runnable(path)
			if err == nil {
				return path, nil
			}
			if refused == nil && errors.Is(err, errNotRunnable) {
				refused = fmt.Errorf("run %s: %w", path, err)
			}
		}
	}
	if refused != nil {
		return "", refused
	}
	return "", fmt.Errorf("run %q: %w in PATH", name, fs.ErrNotExist)
}

func runnable(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR || st.Mode&0o111 == 0 {
		return errNotRunnable
	}
	return nil
}

// errNotRunnable is about a file that is there. In a directory that may not be
// searched nobody knows.
var errNotRunnable = fmt.Errorf("it is no program: %w", fs.ErrPermission)

// standardPath is what an unset PATH means.
const standardPath = "/bin:/usr/bin"

func pathOf(env []string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			if value == "" {
				return "." // one empty entry
			}
			return value
		}
	}
	return standardPath
}

// Environment is what this process was started with, to the byte: Go's own copy
// has lost what is there twice. Source: proc_pid_environ(5).
func Environment() []string {
	raw, err := os.ReadFile("/proc/self/environ")
	if err != nil || len(raw) == 0 || raw[len(raw)-1] != 0 {
		return os.Environ()
	}
	return strings.Split(string(raw[:len(raw)-1]), "\x00")
}

// exitOf is the exit code for a program that could not be started.
func (i *initProcess) exitOf(err error) int {
	switch {
	case i.o.Identity != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL)):
		return ExitOwn // we could not become who we should
	case errors.Is(err, fs.ErrNotExist):
		return ExitNotFound
	}
	return ExitCannotRun
}
