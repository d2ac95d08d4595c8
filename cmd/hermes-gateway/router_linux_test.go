package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// hermesRig is a tree, and a hermes that says how it was called.
func hermesRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, runtimeUID)
	bin := filepath.Join(filepath.Dir(r.prog), "bin")
	must(t, os.Mkdir(bin, 0o755))
	syscall.ForkLock.RLock()
	err := os.WriteFile(filepath.Join(bin, "hermes"), []byte("#!/bin/sh\necho \"hermes $*\"\nexit 9\n"), 0o755)
	syscall.ForkLock.RUnlock()
	must(t, err)
	r.extraEnv = append(r.extraEnv, "PATH="+bin+":"+os.Getenv("PATH"))
	return r
}

func TestR63_MainBecomesAProgram(t *testing.T) {
	r := hermesRig(t)
	r.want(9, "hermes \n", "main")
	r.want(9, "hermes chat -q a b\n", "main", "chat", "-q", "a b")
	r.want(9, "hermes --version\n", "main", "--version")
	r.want(42, "", "main", "sh", "-c", "exit 42")
	r.want(127, "run /absent: ", "main", "/absent")
	r.want(9, "hermes gateway run --no-supervise\n", "main", "gateway", "run", "--no-supervise")
	r.want(9, "hermes gateway run --help\n", "main", "gateway", "run", "--help")
	r.want(0, "", "list") // no service came of any of them
	if got := r.run("list"); got.out != "" {
		t.Errorf("services: %q", got.out)
	}
}

// R74: a gateway that would be the container's program is a service, and the
// container goes on as long as nobody ends it.
func TestR74_MainSupervisesAGateway(t *testing.T) {
	r := hermesRig(t)
	r.profile("coder")
	for _, tc := range []struct {
		name  string
		words []string
	}{
		{"default", []string{"main", "gateway", "run", "--replace"}},
		{"coder", []string{"main", "-p", "coder", "gateway", "run"}},
	} {
		ctx := t.Context()
		cmd := r.command(ctx, tc.words...)
		stderr, err := cmd.StderrPipe()
		must(t, err)
		must(t, cmd.Start())
		told := &strings.Builder{}
		for buf := make([]byte, 512); !strings.Contains(told.String(), "HERMES_GATEWAY_NO_SUPERVISE=1"); {
			n, err := stderr.Read(buf)
			told.Write(buf[:n])
			must(t, err)
		}
		if !strings.Contains(told.String(), "s6 supervision") || !strings.Contains(told.String(), "--no-supervise") {
			t.Errorf("it tells %q", told)
		}
		if st := r.status(tc.name); st.State != "up" || st.Wanted != "up" || st.Service != "gateway-"+tc.name {
			t.Errorf("%s is %+v", tc.name, st)
		}
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		must(t, cmd.Wait()) // exit 0
	}
	r.want(5, "there is no profile nobody", "main", "-p", "nobody", "gateway", "run")
	r.want(2, "begins with a dash", "main", "-p", "-x", "gateway", "run")
}

// Where no tree can be, the gateway is the program.
func TestMainWithoutATree(t *testing.T) {
	r := hermesRig(t)
	r.extraEnv = append(r.extraEnv, "HERMES_SERVICE_MANAGER=foreground")
	r.want(9, "hermes gateway run\n", "main", "gateway", "run")
}
