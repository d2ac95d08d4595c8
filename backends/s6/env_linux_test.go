package s6

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// readySleeper announces readiness once it is itself, so that what the kernel
// says about it is not about the script that started it.
func readySleeper(name string, args ...string) sm.Spec {
	return sm.Spec{
		Name:    name,
		Command: append([]string{"/bin/sh", "-c", `echo >&3; exec 3>&-; while :; do sleep 1000; done`}, args...),
		ReadyFD: 3,
	}
}

func procStrings(t *testing.T, pid int, file string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", itoa(pid), file))
	must(t, err)
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// Values and arguments of any bytes but NUL reach the process as they are.
func TestEnvironmentAndArgumentsByteForByte(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	rng := rand.New(rand.NewPCG(1, 2))
	env := map[string]string{
		"EMPTY": "", "NEWLINES": "\na\n\nb\n", "QUOTES": `'"'"'`, "DOLLAR": "$HOME ${X} $(id) `id`",
		"BACKSLASH": `\n\\` + "\\\n", "PERCENT": "%s%%", "LATIN1": "caf\xe9", "GLOB": "* ? [a-z] ~ !1",
		"CONTROL": "\x01\x02\x1b\x7f\x80\x81\x82\x83\x84\x85\x86\x87\x88\xff", "IFS": "x", "line": "l", "d": "1",
		"LONG": strings.Repeat("0123456789abcdef", 8000), "SPACE": "  a  b\t", "EXPORT": "export A=b; exit 1\n#",
	}
	for i := range 100 {
		b := make([]byte, 1+rng.IntN(200))
		for j := range b {
			b[j] = byte(1 + rng.IntN(255))
		}
		env[fmt.Sprintf("R_%d", i)] = string(b)
	}
	var args []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		args = append(args, env[k])
	}
	spec := readySleeper("web", args...)
	spec.Env = env
	must(t, m.Register(ctx, spec))
	st, err := m.Wait(ctx, "web", sm.UntilReady)
	must(t, err)

	got := map[string]string{}
	for _, kv := range procStrings(t, st.PID, "environ") {
		k, v, _ := strings.Cut(kv, "=")
		got[k] = v
	}
	for k, want := range env {
		if v, ok := got[k]; !ok || v != want {
			t.Errorf("%s arrived as %.80q (there: %v), want %.80q", k, v, ok, want)
		}
	}
	for k := range got {
		_, ours := env[k]
		if _, inherited := os.LookupEnv(k); !ours && !inherited && k != "PWD" && k != "S6TEST_TREE" && (k != "NOTIFY_FD" || !tr.IsOwn()) {
			t.Errorf("the process has a variable that nobody gave it: %s=%q", k, got[k])
		}
	}
	if argv := procStrings(t, st.PID, "cmdline"); !slices.Equal(argv[3:], args) {
		t.Errorf("argv differs: %.300q", argv[3:])
	}
}

// Nothing of the environment is readable by others, and none of it is in an
// argv.
func TestEnvironmentIsPrivate(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.Env = map[string]string{"TOKEN": "s3cr3t-value"}
	must(t, m.Register(testContext(t), spec))
	err := filepath.WalkDir(filepath.Join(tr.ScanDir, "web"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(b), "s3cr3t") {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s holds the secret with mode %o", path, info.Mode().Perm())
		}
		return err
	})
	must(t, err)
	dir, err := os.Stat(filepath.Join(tr.ScanDir, "web/data/private"))
	if err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("data/private: %v %v", dir.Mode(), err)
	}
	for _, pid := range s6test.Below(tr.Dir) {
		b, _ := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline"))
		if strings.Contains(string(b), "s3cr3t") {
			t.Errorf("pid %d has the secret in its argv", pid)
		}
	}
}

// EnvFile is read at every start, its values are never evaluated, and Env wins.
func TestEnvFile(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	file := filepath.Join(tr.Dir, "secrets.env")
	write := func(text string) { must(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("# comment\n\nA=from file\nB=$(id) `id` \"q\" 'q' \\n  \nC=from file\nLAST=no newline")
	spec := readySleeper("web")
	spec.EnvFile = file
	spec.Env = map[string]string{"C": "from env"}
	must(t, m.Register(ctx, spec))
	check := func(want ...string) {
		t.Helper()
		st, err := m.Wait(ctx, "web", sm.UntilReady)
		must(t, err)
		env := procStrings(t, st.PID, "environ")
		for _, kv := range want {
			if !slices.Contains(env, kv) {
				t.Errorf("%q is not in %q", kv, env)
			}
		}
		if slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "_env_line") }) {
			t.Error("a variable of the script leaked")
		}
	}
	check("A=from file", "B=$(id) `id` \"q\" 'q' \\n  ", "C=from env", "LAST=no newline")
	write("A=changed\n")
	must(t, m.Restart(ctx, "web"))
	check("A=changed", "C=from env")
}

// Dir, Limits and the merging of output are what the Spec says.
func TestDirLimitsOutput(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	dir := filepath.Join(tr.Dir, "it's a dir $x")
	must(t, os.Mkdir(dir, 0o755))
	spec := readySleeper("web")
	spec.Dir, spec.Limits.NoFile = dir, 123
	must(t, m.Register(ctx, spec))
	st, err := m.Wait(ctx, "web", sm.UntilReady)
	must(t, err)
	if cwd, err := os.Readlink(filepath.Join("/proc", itoa(st.PID), "cwd")); err != nil || cwd != dir {
		t.Errorf("cwd %q, %v, want %q", cwd, err, dir)
	}
	limits, err := os.ReadFile(filepath.Join("/proc", itoa(st.PID), "limits"))
	must(t, err)
	if !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), "Max open files 123 123 files") {
		t.Errorf("limits:\n%s", limits)
	}
	spec = readySleeper("default")
	must(t, m.Register(ctx, spec))
	st, err = m.Wait(ctx, "default", sm.UntilReady)
	must(t, err)
	if cwd, err := os.Readlink(filepath.Join("/proc", itoa(st.PID), "cwd")); err != nil || cwd != "/" {
		t.Errorf("default cwd %q, %v, want /", cwd, err)
	}
}
