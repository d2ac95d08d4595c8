package container

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const soon = 60 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// docker runs the docker command, and returns all that it prints and its code.
func docker(t testing.TB, stdin []byte, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("docker", args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	late := time.AfterFunc(soon, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait()
	return out.String(), cmd.ProcessState.ExitCode()
}

var image = sync.OnceValues(makeImage)

// makeImage makes an image of nothing but this program and the one of the test.
func makeImage() (string, error) {
	dir, err := os.MkdirTemp("", "container")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	add := func(name string, mode int64, content []byte) {
		h := &tar.Header{Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err == nil {
			err = w.WriteHeader(h)
		}
		if err == nil {
			_, err = w.Write(content)
		}
	}
	for name, pkg := range map[string]string{"hermes-gateway": "../../cmd/hermes-gateway", "program": "./testdata/program"} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w: %s", pkg, err, out)
		}
		text, rerr := os.ReadFile(filepath.Join(dir, name))
		if rerr != nil {
			return "", rerr
		}
		add(name, 0o755, text)
		if name == "program" {
			for _, d := range []string{"etc/", "etc/services.d/", "etc/services.d/web/", "run/", "tmp/"} {
				mode := int64(0o755)
				if d == "tmp/" {
					mode = 0o1777
				}
				add(d, mode, nil)
			}
			add("etc/services.d/web/run", 0o755, []byte("#!/bin/sh\nexec /program wait service\n"))
			add("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nhermes:x:10000:10000::/tmp:/bin/sh\n"))
			add("etc/group", 0o644, []byte("root:x:0:\nhermes:x:10000:\n"))
		}
	}
	for path, text := range shell() {
		add(strings.TrimPrefix(path, "/"), 0o755, text)
	}
	if err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	id := make([]byte, 6)
	_, _ = rand.Read(id)
	tag := "hermes-gateway-test:" + hex.EncodeToString(id)
	cmd := exec.Command("docker", "import", "--change", `ENTRYPOINT ["/hermes-gateway","init","--"]`, "--change", "ENV PATH=/", "-", tag)
	cmd.Stdin = &layer
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("docker import: %w: %s", err, out)
	}
	return tag, nil
}

// shell is this machine's, with what it is linked to: scripts need one.
func shell() map[string][]byte {
	files := map[string][]byte{}
	out, err := exec.Command("ldd", "/bin/sh").Output()
	if err != nil {
		return nil
	}
	for _, word := range append(strings.Fields(string(out)), "/bin/sh") {
		if text, err := os.ReadFile(word); err == nil && strings.HasPrefix(word, "/") {
			files[word] = text
		}
	}
	return files
}

func TestMain(m *testing.M) {
	code := m.Run()
	if asked {
		if tag, err := image(); err == nil {
			// A docker run that took too long was killed, but not its container.
			left, _ := exec.Command("docker", "ps", "-aq", "--filter", "label="+tag).Output()
			for _, id := range strings.Fields(string(left)) {
				_ = exec.Command("docker", "rm", "-f", id).Run()
			}
			_ = exec.Command("docker", "rmi", "-f", tag).Run()
		}
	}
	os.Exit(code)
}

var asked bool

// box is a container that runs until somebody ends it.
type box struct {
	t    testing.TB
	name string
}

// engine wants a docker engine that answers.
func engine(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("makes containers")
	}
	if out, err := exec.Command("docker", "version", "--format", "{{.Server.Os}}").CombinedOutput(); err != nil {
		t.Skipf("no docker engine answers: %v, %s", err, out)
	}
	asked = true
	tag, err := image()
	must(t, err)
	return tag
}

// run runs a container to its end.
func run(t testing.TB, flags []string, words ...string) (string, int) {
	t.Helper()
	tag := engine(t)
	args := append([]string{"run", "--rm", "--label", tag, "--network", "none", "-u", "10000"}, flags...)
	return docker(t, nil, append(append(args, tag), words...)...)
}

// start starts one and returns.
func start(t testing.TB, flags []string, words ...string) *box {
	t.Helper()
	args := append([]string{"run", "-d", "--network", "none", "-u", "10000"}, flags...)
	out, code := docker(t, nil, append(append(args, engine(t)), words...)...)
	if code != 0 {
		t.Fatalf("docker run: %d, %s", code, out)
	}
	lines := strings.Fields(out)
	b := &box{t, lines[len(lines)-1]}
	t.Cleanup(func() { docker(t, nil, "rm", "-f", b.name) })
	return b
}

func (b *box) exec(words ...string) (string, int) {
	b.t.Helper()
	return docker(b.t, nil, append([]string{"exec", "-u", "10000", b.name}, words...)...)
}

// awaitLog waits until the container has printed a line so often.
func (b *box) awaitLog(line string, times int) {
	b.t.Helper()
	for end := time.Now().Add(soon); ; {
		out, _ := docker(b.t, nil, "logs", b.name)
		if strings.Count(out, line+"\n") >= times {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("it printed %q, want %q %d times", out, line, times)
		}
	}
}

func (b *box) code() string {
	b.t.Helper()
	out, _ := docker(b.t, nil, "wait", b.name)
	return strings.TrimSpace(out)
}

// killByID kills a process of a container, which docker names by the id that this
// machine has for it.
func killByID(t testing.TB, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("no process: %q", pid)
	}
	must(t, syscall.Kill(n, syscall.SIGKILL))
}
