package execas

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// The exit codes of exec-gateway, those of env(1) and nice(1).
const (
	exitOwn       = 125 // its own failure: usage, or no right to become the user
	exitCannotRun = 126 // the program exists and cannot be run
	exitNotFound  = 127 // there is no such program
)

const usage = "usage: hermes-gateway exec-gateway --user USER[:GROUP] [--] COMMAND [ARGUMENT...]"

// Main runs exec-gateway: it becomes the user for good and then becomes the
// command. It returns only when that failed, with the exit code. A user with
// uid 0 must be asked for as root or 0; any other name for it is refused.
func Main(args []string, stderr io.Writer) int {
	who, argv, err := parse(args)
	if err != nil {
		return complain(stderr, exitOwn, err)
	}
	acct, err := LookupAccount(who)
	if err != nil {
		return complain(stderr, exitOwn, err)
	}
	if err := refuseHiddenRoot(who, acct); err != nil {
		return complain(stderr, exitOwn, err)
	}
	if err := become(acct); err != nil {
		return complain(stderr, exitOwn, err)
	}
	code, err := Exec(argv)
	return complain(stderr, code, err)
}

// Exec has the process become a program that is looked for along PATH. It returns
// only when that failed, with the exit code of env(1).
func Exec(argv []string) (code int, err error) {
	path, err := exec.LookPath(argv[0])
	if err == nil || errors.Is(err, exec.ErrDot) {
		err = execve(path, argv, os.Environ())
	}
	return codeOf(err), fmt.Errorf("run %s: %w", argv[0], err)
}

// become changes the user, and the variables that name it only if there was
// something to change.
func become(acct Account) error {
	if isAlready(acct) {
		return nil
	}
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Errorf("become uid %d gid %d: %w: this is uid %d, and only root can change the user", acct.UID, acct.GID, fs.ErrPermission, uid)
	}
	if err := Become(acct); err != nil {
		return err
	}
	for k, v := range acct.Env(os.Getenv) {
		if err := os.Setenv(k, v); err != nil {
			return err
		}
	}
	return nil
}

func parse(args []string) (who string, argv []string, err error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		value, inline := strings.CutPrefix(args[0], "--user=")
		switch {
		case inline:
			who, args = value, args[1:]
		case args[0] == "--user" && len(args) > 1:
			who, args = args[1], args[2:]
		default:
			return "", nil, fmt.Errorf("unexpected %s; %s", args[0], usage)
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if who == "" || len(args) == 0 {
		return "", nil, errors.New(usage)
	}
	return who, args, nil
}

// refuseHiddenRoot keeps a second name for uid 0 in the account file from
// running a service as root that was meant to be dropped.
func refuseHiddenRoot(who string, acct Account) error {
	name, _, _ := strings.Cut(who, ":")
	if acct.UID != 0 || name == "root" || strings.Trim(name, "0") == "" {
		return nil
	}
	return fmt.Errorf("the user %s has uid 0; say --user root if root is meant", name)
}

func codeOf(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitCannotRun
}

func complain(w io.Writer, code int, err error) int {
	fmt.Fprintf(w, "hermes-gateway exec-gateway: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	return code
}
