package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// prepare checks a Spec against what s6 and this tree can honour and finds the
// programs that the scripts need.
func (m *manager) prepare(spec sm.Spec) (sm.Spec, servicedir.Env, error) {
	var env servicedir.Env
	spec, err := spec.Normalize()
	if err != nil {
		return spec, env, err
	}
	for _, check := range []func(sm.Spec) error{m.checkOrder, m.checkDelays, checkVariables, checkEnvFile, checkDir, checkLogDir, checkStopSignal} {
		if err := check(spec); err != nil {
			return spec, env, err
		}
	}
	if env.AsUser, err = m.asUser(spec.User); err != nil {
		return spec, env, err
	}
	if spec.Log.Dir != "" {
		env.Logger, err = m.logger()
	}
	return spec, env, err
}

func (m *manager) checkOrder(spec sm.Spec) error {
	if len(spec.After) > 0 {
		return &sm.SpecError{Field: "After", Value: spec.After[0], Reason: "cannot be honoured: s6 starts all services at once; let the program wait for what it needs"}
	}
	if spec.Boot == sm.BootManual {
		return &sm.SpecError{Field: "Boot", Reason: "cannot be BootManual: under s6 a service comes up by itself exactly when it is wanted up; use Down"}
	}
	return nil
}

// checkDelays: s6 restarts after one second, always; only our own tree reads
// the file backoff.
func (m *manager) checkDelays(spec sm.Spec) error {
	d := spec.WithDefaults()
	if d.RestartDelay == sm.DefaultRestartDelay && d.RestartMaxDelay == sm.DefaultRestartMaxDelay {
		return nil
	}
	if _, own := ownTree(m.scan); own {
		return nil
	}
	return &sm.SpecError{Field: "RestartDelay", Value: d.RestartDelay.String() + " to " + d.RestartMaxDelay.String(),
		Reason: "cannot be honoured: s6 always restarts after 1 s; leave both delays unset"}
}

func checkVariables(spec sm.Spec) error {
	for key := range spec.Env {
		if servicedir.ShellOwned(key) {
			return &sm.SpecError{Field: "Env", Value: key, Reason: "belongs to the shell that runs the service's script and cannot be set"}
		}
		if key == "NOTIFY_FD" && spec.Ready == sm.ReadyNotify {
			return &sm.SpecError{Field: "Env", Value: key, Reason: "is set by Ready; leave one of them"}
		}
	}
	return nil
}

func checkEnvFile(spec sm.Spec) error {
	if spec.EnvFile == "" {
		return nil
	}
	info, err := os.Stat(spec.EnvFile)
	switch {
	case err != nil:
		return &sm.SpecError{Field: "EnvFile", Value: spec.EnvFile, Reason: "cannot be read: " + cause(err)}
	case !info.Mode().IsRegular():
		return &sm.SpecError{Field: "EnvFile", Value: spec.EnvFile, Reason: "is not a regular file"}
	case info.Size() > maxEnvFile:
		return &sm.SpecError{Field: "EnvFile", Value: spec.EnvFile, Reason: "is longer than any environment can be"}
	case info.Mode().Perm()&0o027 != 0:
		return &sm.SpecError{Field: "EnvFile", Value: spec.EnvFile,
			Reason: fmt.Sprintf("may be read or written by others (mode %04o): chmod 600 it", info.Mode().Perm())}
	}
	text, err := os.ReadFile(spec.EnvFile)
	if errors.Is(err, fs.ErrPermission) {
		return nil // the supervisor may well be allowed to
	}
	if err != nil {
		return &sm.SpecError{Field: "EnvFile", Value: spec.EnvFile, Reason: "cannot be read: " + cause(err)}
	}
	if problem := servicedir.CheckEnvFile(string(text)); problem != "" {
		return &sm.SpecError{Field: "EnvFile", Value: spec.EnvFile, Reason: "has an unusable line: " + problem}
	}
	return nil
}

// maxEnvFile is more than Linux passes to a program (a quarter of an 8 MiB
// stack).
const maxEnvFile = 2 << 20

func checkDir(spec sm.Spec) error {
	if spec.Dir == "" {
		return nil
	}
	info, err := os.Stat(spec.Dir)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // the service's own user may well see it
		}
		return &sm.SpecError{Field: "Dir", Value: spec.Dir, Reason: "cannot be entered: " + cause(err)}
	}
	if !info.IsDir() {
		return &sm.SpecError{Field: "Dir", Value: spec.Dir, Reason: "is not a directory"}
	}
	return nil
}

// checkLogDir finds out what a logger could only tell the supervisor's own
// output: that the directory cannot be made, or cannot be written to. For
// another user only what is no directory can be told from here.
func checkLogDir(spec sm.Spec) error {
	if spec.Log.Dir == "" {
		return nil
	}
	refuse := func(reason string) error {
		return &sm.SpecError{Field: "Log.Dir", Value: spec.Log.Dir, Reason: reason}
	}
	for dir := spec.Log.Dir; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != "/":
			continue
		case errors.Is(err, fs.ErrPermission) && spec.User != "":
			return nil
		case err != nil:
			return refuse("cannot be made: " + dir + ": " + cause(err))
		case !info.IsDir():
			return refuse("cannot be made: " + dir + " is not a directory")
		case spec.User == "" && unix.Access(dir, unix.W_OK|unix.X_OK) != nil:
			return refuse("cannot be written: no right to write in " + dir)
		}
		return nil
	}
}

func checkStopSignal(spec sm.Spec) error {
	switch spec.StopSignal {
	case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCONT:
		return &sm.SpecError{Field: "StopSignal", Value: sm.SignalName(spec.StopSignal), Reason: "does not ask a process to end; use StopTimeout to kill"}
	}
	return nil
}

func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// asUser returns the argv that becomes the user, or nil where the tree runs as
// that user already. Only root's tree can become somebody.
func (m *manager) asUser(name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	uid, gid, err := lookUp(name)
	if err != nil {
		return nil, &sm.SpecError{Field: "User", Value: name, Reason: err.Error()}
	}
	owner, err := m.treeUID()
	if err != nil {
		return nil, err
	}
	if uid == int(owner) && (gid == -1 || gid == os.Getegid()) {
		return nil, nil
	}
	if owner != 0 {
		return nil, &sm.SpecError{Field: "User", Value: name, Reason: fmt.Sprintf("cannot be honoured: the tree runs as uid %d and cannot become another user", owner)}
	}
	helper, err := m.helper()
	if err != nil {
		return nil, &sm.SpecError{Field: "User", Value: name, Reason: "needs the program hermes-gateway to change users: " + err.Error()}
	}
	return []string{helper, "exec-gateway", "--user", name, "--"}, nil
}

// lookUp resolves NAME, NAME:GROUP, UID or UID:GID; gid is -1 where only a
// user is named.
func lookUp(name string) (uid, gid int, err error) {
	who, group, hasGroup := strings.Cut(name, ":")
	gid = -1
	if uid, err = strconv.Atoi(who); err != nil {
		u, err := user.Lookup(who)
		if err != nil {
			return 0, 0, errors.New("is not a user of this machine")
		}
		uid, _ = strconv.Atoi(u.Uid)
	}
	if uid < 0 {
		return 0, 0, errors.New("has a negative uid")
	}
	if !hasGroup {
		return uid, gid, nil
	}
	if gid, err = strconv.Atoi(group); err != nil {
		g, err := user.LookupGroup(group)
		if err != nil {
			return 0, 0, errors.New("names a group that this machine does not have")
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	return uid, gid, nil
}

// helper finds the hermes-gateway program.
func (m *manager) helper() (string, error) {
	if m.cfg.helper != "" {
		return m.cfg.helper, nil
	}
	path, err := findProgram("hermes-gateway")
	if err != nil {
		return "", errors.New("it is not in PATH and no s6.WithHelper names it")
	}
	return path, nil
}

// logger finds the program that takes s6-log directives.
func (m *manager) logger() ([]string, error) {
	if path, err := findProgram("s6-log"); err == nil {
		return []string{path, "--"}, nil
	}
	path, err := m.helper()
	if err != nil {
		return nil, &sm.SpecError{Field: "Log.Dir", Reason: "needs s6-log or hermes-gateway to write the log, and neither is installed"}
	}
	return []string{path, "log"}, nil
}

// toolDirs are where s6 lives in container images, which often have none of
// them in the PATH of an exec.
var toolDirs = []string{"/command", "/package/admin/s6/command", "/usr/bin", "/bin"}

// findProgram looks in PATH and where s6 is commonly installed. It executes
// nothing.
func findProgram(name string) (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), toolDirs...) {
		path := filepath.Join(dir, name)
		if !filepath.IsAbs(path) {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fs.ErrNotExist
}
