package container

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The program's words, environment and working directory are those of docker run.
func TestProgramIsUntouched(t *testing.T) {
	words := []string{"/program", "say", "-x", "--", "", "a b"}
	out, code := run(t, []string{"-e", "FOR_PROGRAM=a  b", "-w", "/tmp", "-e", "HOME=/tmp/x"}, words...)
	var got struct {
		Args           []string
		Dir, Env, Home string
		UID            int
	}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):strings.LastIndex(out, "}")+1]), &got); err != nil {
		t.Fatalf("%q, %v", out, err)
	}
	if code != 0 || !reflect.DeepEqual(got.Args, words) || got.Dir != "/tmp" || got.Env != "a  b" || got.Home != "/tmp/x" || got.UID != 10000 {
		t.Errorf("%d, %+v", code, got)
	}
}

func TestExitCodes(t *testing.T) {
	for want, words := range map[int][]string{
		0: {"/program", "exit", "0"}, 7: {"program", "exit", "7"}, 127: {"/absent"}, 126: {"/etc/passwd"}, 125: {"--no-such-option"},
	} {
		flags := []string(nil)
		if want == 125 { // an option of init, as the entrypoint ends in --
			flags, words = []string{"--entrypoint", "/hermes-gateway"}, append([]string{"init"}, words...)
		}
		if out, code := run(t, flags, words...); code != want {
			t.Errorf("%q: %d, %s", words, code, out)
		}
	}
}

func TestTerminal(t *testing.T) {
	if out, code := run(t, []string{"-t"}, "/program", "terminal"); code != 0 || !strings.Contains(out, "terminal: true true") {
		t.Errorf("%q, %d", out, code)
	}
	if out, code := run(t, nil, "/program", "terminal"); code != 0 || !strings.Contains(out, "terminal: false true") {
		t.Errorf("without one: %q, %d", out, code)
	}
}

func TestOrphans(t *testing.T) {
	if out, code := run(t, nil, "/program", "orphans", "300"); code != 0 || !strings.Contains(out, "zombies: 0\n") {
		t.Errorf("%q, %d", out, code)
	}
}

// Any uid, no capability, nothing that can be written but a tmpfs: it boots,
// supervises, and stops clean.
func TestWithoutAnyRight(t *testing.T) {
	b := start(t, []string{"-u", "12345", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/run"}, "/program", "wait", "main")
	b.awaitLog("main is up", 1)
	b.awaitLog("service is up", 1)
	out, code := docker(t, nil, "exec", "-u", "12345", b.name, "/hermes-gateway", "wait", "web", "--exact", "--for", "up")
	if code != 0 {
		t.Errorf("wait: %d, %s", code, out)
	}
	docker(t, nil, "stop", b.name)
	b.awaitLog("main ends", 1)
	b.awaitLog("service ends", 1)
	if got := b.code(); got != "0" {
		t.Errorf("exit code %s", got)
	}
}

// A service is registered in a live container by its user, and does not come up
// unasked when the container is started again; one of the image does.
func TestRegisterAndRestart(t *testing.T) {
	for name, flags := range map[string][]string{
		"kept":  {"-e", "HERMES_SCANDIR=/tmp/service"},
		"tmpfs": {"-e", "HERMES_SCANDIR=/run/service", "--tmpfs", "/run:uid=10000,mode=755"},
	} {
		b := start(t, flags, "/program", "wait", "main")
		b.awaitLog("service is up", 1)
		if out, code := b.exec("/hermes-gateway", "register", "slot", "--exact", "--up", "--log-dir", "none", "--", "/program", "wait", "slot"); code != 0 {
			t.Errorf("%s: register: %d, %s", name, code, out)
		}
		if out, code := b.exec("/hermes-gateway", "list", "--exact"); code != 0 || out != "slot\nweb\n" {
			t.Errorf("%s: list: %d, %q", name, code, out)
		}
		if out, code := docker(t, nil, "restart", b.name); code != 0 {
			t.Fatalf("%s: restart: %d, %s", name, code, out)
		}
		b.awaitLog("service is up", 2)
		if out, code := b.exec("/hermes-gateway", "list", "--exact"); code != 0 || out != "web\n" {
			t.Errorf("%s: list after restart: %d, %q", name, code, out)
		}
	}
}

// A program that does not end is killed by the init, before docker would.
func TestDeafProgram(t *testing.T) {
	b := start(t, []string{"-e", "HERMES_INIT_GRACE=1s"}, "/program", "deaf")
	b.awaitLog("deaf is up", 1)
	docker(t, nil, "stop", "-t", "50", b.name)
	if got := b.code(); got != "137" {
		t.Errorf("exit code %s", got)
	}
	b.awaitLog("service ends", 1)
}

// The tree is killed: the container lives, and so does the service, once.
func TestTreeIsKilled(t *testing.T) {
	b := start(t, []string{"-e", "HERMES_SCANDIR=/tmp/service"}, "/program", "wait", "main")
	b.awaitLog("service is up", 1)
	top, code := docker(t, nil, "top", b.name, "-eo", "pid,args")
	if code != 0 {
		t.Fatal(top)
	}
	tree := ""
	for line := range strings.Lines(top) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "svscan" {
			tree = fields[0]
		}
	}
	killByID(t, tree)
	end := time.Now().Add(soon)
	for {
		out, code := b.exec("/hermes-gateway", "status", "web", "--exact", "--json")
		if code == 0 && strings.Contains(out, `"adopted":true`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is not adopted: %d, %s", code, out)
		}
	}
	out, _ := docker(t, nil, "logs", b.name)
	if strings.Count(out, "service is up\n") != 1 || !strings.Contains(out, "the supervision tree died") {
		t.Errorf("it printed %q", out)
	}
}
