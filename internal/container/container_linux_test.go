package container

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func initRig(t *testing.T) rig {
	t.Helper()
	t.Parallel()
	return on(t, chosen(), initImage)
}

func TestProgramIsUntouched(t *testing.T) { programIsUntouched(initRig(t)) }

// The program's words, environment and working directory are those of docker run.
func programIsUntouched(r rig) {
	r.t.Helper()
	words := []string{"/program", "say", "-x", "--", "", "a b"}
	got := r.run(options{env: []string{"FOR_PROGRAM=a  b", "HOME=/tmp/x"}, dir: "/tmp"}, words...)
	var said struct {
		Args           []string
		Dir, Env, Home string
		UID            int
	}
	begin := max(strings.IndexByte(got.out, '{'), 0) // its service prints, too
	if err := json.NewDecoder(strings.NewReader(got.out[begin:])).Decode(&said); err != nil {
		r.t.Fatalf("%+v, %v", got, err)
	}
	if got.code != 0 || got.err != "" || !reflect.DeepEqual(said.Args, words) || said.Dir != "/tmp" || said.Env != "a  b" || said.Home != "/tmp/x" || said.UID != 10000 {
		r.t.Errorf("%+v, %+v", got, said)
	}
}

func TestExitCodes(t *testing.T) { exitCodes(initRig(t)) }

func exitCodes(r rig) {
	r.t.Helper()
	for want, words := range map[int][]string{
		0: {"/program", "exit", "0"}, 7: {"program", "exit", "7"}, 127: {"/absent"}, 126: {"/etc/passwd"}, 125: {"--no-such-option"},
	} {
		o := options{}
		if want == 125 { // an option of init, as the entrypoint ends in --
			o.entrypoint = []string{"/hermes-gateway", "init"}
		}
		if got := r.run(o, words...); got.code != want {
			r.t.Errorf("%q: %+v", words, got)
		}
	}
}

func TestTerminal(t *testing.T) {
	r := initRig(t)
	if got := r.run(options{terminal: true}, "/program", "terminal"); got.code != 0 || !strings.Contains(got.out, "terminal: true true") {
		t.Errorf("%+v", got)
	}
	if got := r.run(options{}, "/program", "terminal"); got.code != 0 || !strings.Contains(got.out, "terminal: false true") {
		t.Errorf("without one: %+v", got)
	}
}

func TestOrphans(t *testing.T) { orphans(initRig(t)) }

func orphans(r rig) {
	r.t.Helper()
	if got := r.run(options{}, "/program", "orphans", "300"); got.code != 0 || !strings.Contains(got.out, "zombies: 0\n") {
		r.t.Errorf("%+v", got)
	}
}

func TestWithoutAnyRight(t *testing.T) { withoutAnyRight(initRig(t)) }

// Any uid, no capability, nothing that can be written but a tmpfs: it boots,
// supervises, and stops clean.
func withoutAnyRight(r rig) {
	r.t.Helper()
	b := r.start(options{user: "12345", bare: true, tmpfs: []string{"/run"}}, "/program", "wait", "main")
	b.await("main is up\n", 1)
	b.await("service is up\n", 1)
	if got := b.exec("12345", []string{"/hermes-gateway", "wait", "web", "--exact", "--for", "up"}); got.code != 0 {
		r.t.Errorf("wait: %+v", got)
	}
	b.stop(10 * time.Second)
	b.await("main ends\n", 1)
	b.await("service ends\n", 1)
	if got := b.wait(); got != 0 {
		r.t.Errorf("exit code %d", got)
	}
}

// A service is registered in a live container by its user, and does not come up
// unasked when the container is started again; one of the image does.
func TestRegisterAndRestart(t *testing.T) {
	r := initRig(t)
	for name, o := range map[string]options{
		"kept":  {env: []string{"HERMES_SCANDIR=/tmp/service"}},
		"tmpfs": {env: []string{"HERMES_SCANDIR=/run/service"}, tmpfs: []string{"/run:uid=10000,mode=755"}},
	} {
		b := r.start(o, "/program", "wait", "main")
		b.await("service is up\n", 1)
		b.gateway("register", "slot", "--exact", "--up", "--log-dir", "none", "--", "/program", "wait", "slot")
		if got := b.gateway("list", "--exact"); got != "slot\nweb\n" {
			t.Errorf("%s: list: %q", name, got)
		}
		b.restart(10 * time.Second)
		b.await("service is up\n", 2)
		if got := b.gateway("list", "--exact"); got != "web\n" {
			t.Errorf("%s: list after restart: %q", name, got)
		}
	}
}

// A program that does not end is killed by the init, before docker would.
func TestDeafProgram(t *testing.T) {
	b := initRig(t).start(options{env: []string{"HERMES_INIT_GRACE=1s"}}, "/program", "deaf")
	b.await("deaf is up\n", 1)
	b.await("service is up\n", 1)
	b.stop(50 * time.Second)
	if got := b.wait(); got != 137 {
		t.Errorf("exit code %d", got)
	}
	b.await("service ends\n", 1)
}

// The tree is killed: the container lives, and so does the service, once.
func TestTreeIsKilled(t *testing.T) {
	b := initRig(t).start(options{env: []string{"HERMES_SCANDIR=/tmp/service"}}, "/program", "wait", "main")
	b.await("service is up\n", 1)
	b.kill("hermes-gateway svscan")
	b.await("the supervision tree died", 1)
	b.until("web", func() bool { st, _ := b.look("web"); return st != nil && st.Adopted })
	if n := strings.Count(b.output().String(), "service is up\n"); n != 1 {
		t.Errorf("the service was started %d times", n)
	}
}
