package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestVerbs(t *testing.T) {
	for _, tc := range []struct {
		name     string
		args     []string
		code     int
		out, err string // parts; "" is nothing at all
	}{
		{"start one", []string{"start", "off"}, 0, "✓ started off (pid 100)\n", ""},
		{"start what is up", []string{"start", "on"}, 0, "✓ on is already up (pid 100)\n", ""},
		{"start several", []string{"start", "off", "coder"}, 0, "✓ started 2: off, coder\n", ""},
		{"start the same twice", []string{"start", "coder", "gateway-coder"}, 0, "✓ started coder (pid 100)\n", ""},
		{"start both kinds", []string{"start", "off", "on"}, 0, "✓ started 1 of 2: off\n✓ already up 1 of 2: on\n", ""},
		{"start nothing known", []string{"start", "nope"}, 5, "", "✗ could not start nope: no such profile or service (there is no directory "},
		{"start a failing one", []string{"start", "bad"}, 1, "", "✗ could not start bad: service failed permanently\n"},
		{"start goes on after a failure", []string{"start", "bad", "off"}, 1, "✓ started 1 of 2: off\n", "could not start bad"},
		{"start has no --all", []string{"start", "--all"}, 2, "", "unknown flag: --all"},
		{"start in the words of the library", []string{"start", "off", "--no-wait"}, 0, "✓ asked to start: off (pid 100)\n", ""},

		{"stop one", []string{"stop", "on"}, 0, "✓ stopped on\n", ""},
		{"stop what is down", []string{"stop", "off"}, 0, "✓ off is already down\n", ""},
		{"stop needs a name", []string{"stop"}, 2, "", "stop needs a NAME or --all"},
		{"stop name and all", []string{"stop", "on", "--all"}, 2, "", "exclude each other"},
		{"stop a profile without a service", []string{"stop", "writer"}, 5, "", "✗ could not stop writer: the profile exists, but its service gateway-writer is not registered; register it: hermes-gateway register writer\n"},
		{"stop all leaves the image's services", []string{"stop", "--all"}, 0, "✓ already down 2 of 3: coder, off\n✓ stopped 1 of 3: on\n", ""},
		{"stop without a right", []string{"stop", "locked"}, 4, "", "✗ could not stop locked: permission denied; ask root\n"},
		{"quiet", []string{"stop", "on", "-q"}, 0, "", ""},

		{"restart one", []string{"restart", "on"}, 0, "✓ restarted on (pid 101)\n", ""},
		{"restart all", []string{"restart", "--all"}, 0, "✓ restarted 3: coder, off, on\n", ""},
		{"restart nothing known", []string{"restart", "nope"}, 5, "", "no such profile or service"},
		{"restart without a supervisor", []string{"restart", "orphan"}, 1, "", "no supervisor is listening"},

		{"unregister one", []string{"unregister", "on"}, 0, "✓ unregistered on\n", ""},
		{"unregister what is not there", []string{"unregister", "nope"}, 5, "", "no such profile or service"},
		{"unregister what is not there, forgiven", []string{"unregister", "--if-exists", "nope"}, 0, "✓ nope is already gone\n", ""},
		{"unregister a profile without a service, forgiven", []string{"unregister", "--if-exists", "writer"}, 0, "✓ writer is already gone\n", ""},
		{"unregister a bad name is never forgiven", []string{"unregister", "--if-exists", "a/b"}, 2, "", `"a/b"`},
		{"unregister needs a name", []string{"unregister"}, 2, "", "unregister needs a NAME or --all"},

		{"wait", []string{"wait", "on"}, 0, "✓ on is now up (pid 100)\n", ""},
		{"wait for ready", []string{"wait", "on", "--for", "ready"}, 0, "✓ on is now ready (pid 100)\n", ""},
		{"wait for several", []string{"wait", "on", "off", "--for=down"}, 0, "✓ now down 2: on, off\n", ""},
		{"wait for what cannot happen", []string{"wait", "bad", "--for", "up"}, 1, "", "✗ could not wait for bad: service failed permanently\n"},
		{"wait for nothing", []string{"wait"}, 2, "", "wait needs a NAME"},
		{"wait for something else", []string{"wait", "on", "--for", "dead"}, 2, "", `--for "dead" is none of up, ready, down, finished`},
		{"wait for nothing known", []string{"wait", "nope"}, 5, "", "no such profile or service"},

		{"several failures, the highest code", []string{"stop", "nope", "locked", "on"}, 5, "✓ stopped 1 of 3: on\n", "could not stop locked"},
		{"unknown command", []string{"halt"}, 2, "", `there is no command "halt"`},
		{"mistyped command", []string{"stopp"}, 2, "", "did you mean stop"},
		{"bad timeout", []string{"stop", "on", "--timeout", "soon"}, 2, "", "--timeout"},
		{"negative timeout", []string{"stop", "on", "--timeout", "-1s"}, 2, "", "negative"},
		{"bad backend", []string{"list", "--backend", "runit"}, 2, "", `"runit" is none of auto, s6, systemd, launchd, foreground`},
		{"bad scope", []string{"list", "--scope", "planet"}, 2, "", "planet"},
		{"two scopes", []string{"list", "--user", "--system"}, 2, "", "exclude each other"},
		{"scan directory of another manager", []string{"list", "--backend", "systemd", "--scandir", "/x"}, 2, "", "--scandir belongs to s6"},
		{"install says what to do", []string{"install", "coder"}, 0, "nothing is installed under s6", ""},
		{"uninstall says what to do", []string{"uninstall", "coder"}, 0, "remove it: hermes-gateway unregister NAME", ""},
		{"uninstall needs a name", []string{"uninstall"}, 2, "", "needs a NAME or --all"},
		{"list takes nothing", []string{"list", "x"}, 2, "", "takes no arguments"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, "writer")
			f := b.fake
			f.has(up("on")).has(down("off")).has(down("gateway-coder")).has(up("image")).has(up("bad")).has(up("locked")).has(up("orphan"))
			f.set("bad", func(st *sm.Status) { st.State = sm.StateBackoff })
			f.ours = []string{"on", "off"}
			f.fail["start bad"], f.fail["wait up bad"] = sm.ErrFailed, sm.ErrFailed
			f.fail["stop locked"] = sm.WithRemedy(sm.ErrPermission, "ask root")
			f.fail["restart orphan"] = sm.ErrNotSupervised
			b.want(tc.code, tc.out, tc.err, tc.args...)
			if n := len(f.called("stop image")) + len(f.called("restart image")); n > 0 {
				t.Error("a service of the image was touched")
			}
		})
	}
}

func TestNamesDefaultToDefault(t *testing.T) {
	b := newBench(t)
	b.fake.has(down("gateway-default"))
	b.want(0, "✓ started default (pid 100)", "", "start")
	b.want(0, "✓ restarted default", "", "restart")
	b.fake.logs["gateway-default"] = "hello\n"
	b.want(0, "hello\n", "", "logs")
}

func TestR48_StartRegistersARealProfile(t *testing.T) {
	b := newBench(t, "coder")
	b.want(0, "✓ registered and started coder (pid 100)\n", "", "start", "coder")
	if spec := b.fake.specs["gateway-coder"]; !spec.Down || !slices.Contains(spec.Command, "coder") {
		t.Errorf("registered %+v", spec)
	}
	if got := b.fake.called("start"); !slices.Equal(got, []string{"start gateway-coder"}) {
		t.Errorf("calls %q", got)
	}

	b = newBench(t, "coder") // somebody else registers it meanwhile
	b.fake.services["gateway-coder"] = down("gateway-coder")
	b.fake.fail["register gateway-coder"] = &sm.AlreadyRegisteredError{}
	b.fake.fail["list"] = sm.ErrPermission
	b.want(0, "✓ registered and started coder", "", "start", "coder")

	b = newBench(t)
	for _, verb := range []string{"stop", "restart", "wait", "logs"} {
		b.want(5, "", "its service gateway-default is not registered; register it: hermes-gateway register default", verb, "default")
	}
	b.want(4, "*", "its service gateway-default is not registered", "status", "default")
	if got := b.fake.called("register"); len(got) > 0 {
		t.Errorf("other verbs registered: %q", got)
	}
}

func TestStopAllOfNothing(t *testing.T) {
	b := newBench(t)
	b.want(0, "✓ there is no service to stop\n", "", "stop", "--all")
	b.want(0, `"services":[]`, "", "stop", "--all", "--json")
	b.fake.fail["list"] = sm.ErrPermission
	b.want(4, "", "permission denied", "stop", "--all")
}

func TestTimeouts(t *testing.T) {
	b := newBench(t)
	st := up("web")
	st.State, st.PID = sm.StateStopping, 123
	b.fake.has(st)
	b.fake.stuck["stop web"] = true
	b.want(124, "", "✗ could not stop web: timed out after 20ms; web is stopping (pid 123); look again: hermes-gateway status web\n", "stop", "web", "--timeout", "20ms")
	b.fake.stuck["wait up web"] = true
	b.want(124, "", "timed out after 20ms; web is stopping", "wait", "web", "--timeout", "20ms")
	b.want(124, "", `"code":"timeout"`, "wait", "web", "--timeout", "20ms", "--json")
}

func TestDefaultTimeouts(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("slow")).has(up("web")).has(down("off"))
	b.fake.stopIn["slow"] = time.Minute
	for _, tc := range []struct {
		name string
		args []string
		call string
		want time.Duration // 0 is none
	}{
		{"stop: the service's own and 5s", []string{"stop", "slow"}, "stop slow", 65 * time.Second},
		{"stop where the manager does not know", []string{"stop", "web"}, "stop web", 30 * time.Second},
		{"restart", []string{"restart", "slow"}, "restart slow", 65 * time.Second},
		{"start", []string{"start", "off"}, "start off", 30 * time.Second},
		{"given", []string{"restart", "slow", "--timeout", "7s"}, "restart slow", 7 * time.Second},
		{"for ever", []string{"restart", "slow", "--timeout", "0"}, "restart slow", 0},
		{"unregister", []string{"unregister", "slow"}, "unregister slow", 65 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clear(b.fake.limits)
			if code := b.run(tc.args...); code != 0 {
				t.Fatalf("exit %d: %s", code, b.err.String())
			}
			got := b.fake.limits[tc.call]
			if got > tc.want || got < tc.want-5*time.Second {
				t.Errorf("bounded by %s, want %s", got, tc.want)
			}
		})
	}
}

func TestInterrupt(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web"))
	b.fake.stuck["stop web"] = true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.fake.onStuck = cancel
	if code := b.runIn(ctx, "stop", "web"); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	if got, want := b.err.String(), "✗ could not stop web: interrupted; web is up (pid 100); look again: hermes-gateway status web\n"; got != want {
		t.Errorf("stderr is %q, want %q", got, want)
	}
}

// TestManyAtOnce: results come in the order of the arguments, whatever is done
// first.
func TestManyAtOnce(t *testing.T) {
	b := newBench(t)
	var names []string
	for i := range 300 {
		name := fmt.Sprintf("s%03d", (i*7)%300)
		b.fake.has(down(name))
		names = append(names, name)
	}
	b.want(0, "✓ started 300: "+strings.Join(names, ", "), "", append([]string{"start"}, names...)...)
}

func TestVerbJSON(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web")).has(down("off"))
	b.fake.fail["stop off"] = sm.WithRemedy(sm.ErrPermission, "ask root")
	b.fake.set("off", func(st *sm.Status) { st.WantUp = true })

	b.want(0, `{"schema":1,"op":"restart","manager":{"kind":"s6",`, "", "restart", "web", "--json")
	var doc struct {
		Services []map[string]any `json:"services"`
		Errors   []any            `json:"errors"`
	}
	if err := json.Unmarshal(b.out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Services) != 1 || doc.Services[0]["did"] != "restarted" || doc.Services[0]["pid"] != 101.0 || doc.Errors == nil {
		t.Errorf("document is %s", b.out.String())
	}

	b.want(4, "", `{"errors":[{"op":"stop","service":"off","code":"permission","reason":"permission denied","remedy":"ask root"}]}`+"\n", "stop", "web", "off", "--json")
	b.want(2, "", `{"errors":[{"op":null,"service":null,"code":"usage","reason":"unknown flag: --nope`, "stop", "--json", "--nope")
	b.want(2, "", `hermes-gateway: unknown flag: --nope`, "register", "x", "--nope", "--", "--json")
	b.want(5, "", `"code":"not_registered"`, "start", "nope", "--json")
	b.want(0, `"did":"unregistered"`, "", "unregister", "web", "--json")
	b.want(0, `{"schema":1,"op":"install","manager":{"kind":"s6"`, "", "install", "coder", "--json")
}

func TestWritingToAFullDisk(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web"))
	b.proc.Out = failingWriter{errors.New("no space left on device")}
	for _, args := range [][]string{{"list"}, {"status"}, {"status", "--json"}, {"start", "web"}, {"detect"}, {"version"}} {
		b.want(1, "", "write to standard output: no space left on device", args...)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
