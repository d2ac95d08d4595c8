//go:build unix

package execas

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The test binary is its own subject: with roleVar set it is exec-gateway, or
// the program that exec-gateway becomes.
const roleVar = "EXECAS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "":
		os.Exit(m.Run())
	case "show":
		groups, _ := os.Getgroups()
		fmt.Printf("uid=%d euid=%d gid=%d groups=%v home=%s user=%s logname=%s args=%q\n", os.Getuid(), os.Geteuid(), os.Getgid(),
			groups, os.Getenv("HOME"), os.Getenv("USER"), os.Getenv("LOGNAME"), os.Args[1:])
	case "exec":
		os.Setenv(roleVar, "show")
		os.Exit(Main(os.Args[1:], os.Stderr))
	case "own":
		acct, err := BecomeOwner(os.Args[1])
		fmt.Printf("became=%v uid=%d gid=%d permission=%v\n", acct != nil, os.Geteuid(), os.Getegid(), errors.Is(err, fs.ErrPermission))
	}
}

// program returns a copy of the test binary that every user can execute.
func program(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "execas")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, self, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, path} {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
}

type ran struct {
	out, err string
	code     int
}

func run(t *testing.T, as *syscall.Credential, env []string, argv ...string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(env, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

func TestExecGatewayAsRoot(t *testing.T) {
	needRoot(t)
	p := program(t)
	for _, tc := range []struct {
		name string
		env  []string
		args []string
		want string // part of the output
		code int
	}{
		{"number without an account", nil, []string{"--user", "54321", "--", p, "a b", "--user", "x"},
			`uid=54321 euid=54321 gid=54321 groups=[54321] home=/ user=54321 logname=54321 args=["a b" "--user" "x"]`, 0},
		{"number and group", nil, []string{"--user=54321:54322", p}, "uid=54321 euid=54321 gid=54322 groups=[54322]", 0},
		{"home of the product", []string{"HERMES_HOME=/opt/data"}, []string{"--user", "54321", p}, "home=/opt/data", 0},
		{"root's home is not kept", []string{"HOME=/root"}, []string{"--user", "54321", p}, "home=/ ", 0},
		{"a chosen home is kept", []string{"HOME=/srv/x", "HERMES_HOME=/opt/data"}, []string{"--user", "54321", p}, "home=/srv/x", 0},
		{"root when asked for", []string{"HOME=/root", "USER=me"}, []string{"--user", "root", p}, "uid=0 euid=0 gid=0", 0},
		{"already that user: nothing changes", []string{"HOME=/x", "USER=me"}, []string{"--user", "0", p}, "home=/x user=me", 0},
		{"unknown user", nil, []string{"--user", "no-such-user-here", p}, "no user \"no-such-user-here\"", 125},
		{"unknown group", nil, []string{"--user", "54321:no-such-group-here", p}, "no group", 125},
		{"the id that is none", nil, []string{"--user", "4294967295", p}, "no user", 125},
		{"empty group", nil, []string{"--user", "54321:", p}, "not USER or USER:GROUP", 125},
		{"no user", nil, []string{"--", p}, "usage:", 125},
		{"no command", nil, []string{"--user", "54321"}, "usage:", 125},
		{"unknown flag", nil, []string{"--group", "1", p}, "unexpected --group", 125},
		{"no such program", nil, []string{"--user", "54321", "/no/such/program"}, "/no/such/program", 127},
		{"no such program on PATH", []string{"PATH=/nowhere"}, []string{"--user", "54321", "no-such-program"}, "no-such-program", 127},
		{"not executable", nil, []string{"--user", "54321", "/etc/passwd"}, "/etc/passwd", 126},
		{"a directory", nil, []string{"--user", "54321", "/etc"}, "/etc", 126},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := run(t, nil, append([]string{roleVar + "=exec"}, tc.env...), append([]string{p}, tc.args...)...)
			if got.code != tc.code || !strings.Contains(got.out+got.err, tc.want) {
				t.Errorf("exit %d, %q, %q; want exit %d and %q", got.code, got.out, got.err, tc.code, tc.want)
			}
			if strings.Count(got.err, "\n") > 1 {
				t.Errorf("the error has more than one line: %q", got.err)
			}
		})
	}
}

func TestExecGatewayUnprivileged(t *testing.T) {
	p := program(t)
	var cred *syscall.Credential
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 54321, 54322
		cred = &syscall.Credential{Uid: 54321, Gid: 54322}
	}
	env := []string{roleVar + "=exec", "HOME=/x"}
	same := run(t, cred, env, p, "--user", fmt.Sprintf("%d:%d", uid, gid), "--", p)
	if same.code != 0 || !strings.Contains(same.out, fmt.Sprintf("uid=%d", uid)) || !strings.Contains(same.out, "home=/x") {
		t.Errorf("being that user already: exit %d, %q, %q", same.code, same.out, same.err)
	}
	other := run(t, cred, env, p, "--user", "12345", "--", p)
	if other.code != 125 || !strings.Contains(other.err, "only root") || other.out != "" {
		t.Errorf("another user: exit %d, %q, %q", other.code, other.out, other.err)
	}
	group := run(t, cred, env, p, "--user", fmt.Sprintf("%d:12345", uid), "--", p)
	if group.code != 125 || group.out != "" {
		t.Errorf("another group: exit %d, %q, %q", group.code, group.out, group.err)
	}
}

func TestBecomeOwner(t *testing.T) {
	needRoot(t)
	p := program(t)
	dir := t.TempDir()
	owned := filepath.Join(dir, "owned")
	if err := os.Mkdir(owned, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(owned, 54321, 54322); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(owned, link); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, dir, want string }{
		{"a user's directory", owned, "became=true uid=54321 gid=54322 permission=false"},
		{"a link to it", link, "became=true uid=54321 gid=54322"},
		{"root's directory", dir, "became=false uid=0 gid=0 permission=false"},
		{"no directory", filepath.Join(dir, "absent"), "became=false uid=0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := run(t, nil, []string{roleVar + "=own"}, p, tc.dir); !strings.Contains(got.out, tc.want) {
				t.Errorf("got %q, %q; want %q", got.out, got.err, tc.want)
			}
		})
	}
}

func TestHiddenRootIsRefused(t *testing.T) {
	root := Account{Name: "toor", UID: 0}
	if refuseHiddenRoot("toor", root) == nil || refuseHiddenRoot("toor:0", root) == nil {
		t.Error("another name for uid 0 was accepted")
	}
	for _, who := range []string{"root", "root:adm", "0", "0:0", "00"} {
		if err := refuseHiddenRoot(who, root); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
	if err := refuseHiddenRoot("toor", Account{UID: 5}); err != nil {
		t.Error(err)
	}
}
