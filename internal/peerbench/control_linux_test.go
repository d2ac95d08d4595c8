package peerbench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// tool is a command that stops or starts the only service of a tree and waits
// until that is so.
type tool struct {
	row    string
	t      *tree
	argv   func(action string) []string
	rounds int
}

// BenchmarkCommand: from the exec of a command to its end, ours and the peer's
// own on each tree.
func BenchmarkCommand(b *testing.B) {
	rounds := 8 * size(b, "BENCH_ROUNDS", 5)
	results := map[string]*results{
		"stop":  newResults(onOurs, "ms", "Stop command, exec to end"),
		"start": newResults(onOurs, "ms", "Start command, exec to end"),
	}
	tools := commandTools(b, rounds, results["stop"], results["start"])
	for i := range rounds + 1 {
		for _, tool := range tools {
			for _, action := range []string{"stop", "start"} {
				if i > tool.rounds {
					continue
				}
				took := tool.run(action)
				if i > 0 {
					results[action].add(tool.row, took)
				}
			}
		}
	}
	b.Run("Stop", results["stop"].metrics)
	b.Run("Start", results["start"].metrics)
}

const onOurs = "hermes-gateway on ours"

func commandTools(b *testing.B, rounds int, noted ...*results) []tool {
	bin, service := command(b), program(b, 0, 0)
	all := peers(b)
	client := func(t *tree) func(action string) []string {
		return func(action string) []string {
			return []string{bin, "--scandir", t.scan, "--exact", "--quiet", action, s6test.ServiceName(0)}
		}
	}
	native := func(p *peer, t *tree) func(action string) []string {
		return func(action string) []string { return p.svc(action, filepath.Join(t.scan, s6test.ServiceName(0))) }
	}
	var tools []tool
	for _, p := range all {
		for _, r := range noted {
			if p.absent != "" {
				r.missing("on "+p.name, p.absent)
			}
		}
		if p.absent != "" {
			continue
		}
		t := up(b, p, 1, kind{program: service})
		if p.s6 {
			tools = append(tools, tool{"hermes-gateway on " + p.name, t, client(t), rounds})
		}
		switch {
		case p.name == ours:
			if all[1].absent == "" {
				tools = append(tools, tool{"s6-svc on ours", t, native(all[1], t), rounds})
			}
		case p.s6:
			tools = append(tools, tool{"s6-svc on " + p.name, t, native(p, t), rounds})
		default:
			tools = append(tools, tool{"sv on " + p.name, t, native(p, t), min(rounds, 5)}) // it looks every 0.4 s
		}
	}
	return tools
}

func (c *tool) run(action string) float64 {
	c.t.b.Helper()
	argv := c.argv(action)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = c.t.peer.environment()
	var err error
	var out []byte
	took := stopwatch(func() { out, err = cmd.CombinedOutput() })
	if err != nil {
		c.t.b.Fatalf("%v: %v %s", argv, err, out)
	}
	return took
}

// BenchmarkControl: from the write of a byte into supervise/control to its
// event, without any program between.
func BenchmarkControl(b *testing.B) {
	rounds := 40 * size(b, "BENCH_ROUNDS", 5)
	stop := newResults(ours, "ms", "Control byte d to event D")
	start := newResults(ours, "ms", "Control byte u to event u")
	service := program(b, 0, 0)
	var lines []*line
	for _, p := range present(s6Only(peers(b)), stop, start) {
		lines = append(lines, listen(up(b, p, 1, kind{program: service})))
	}
	for i := range rounds + 1 {
		for _, l := range lines {
			down, up := l.ask('d', 'D'), l.ask('u', 'u')
			if i > 0 {
				stop.add(l.t.peer.name, down)
				start.add(l.t.peer.name, up)
			}
		}
	}
	b.Run("Stop", stop.metrics)
	b.Run("Start", start.metrics)
}

// s6Only are the peers that speak s6's protocol.
func s6Only(all []*peer) []*peer {
	var found []*peer
	for _, p := range all {
		if p.s6 {
			found = append(found, p)
		}
	}
	return found
}

// line is the control and the events of a service.
type line struct {
	t               *tree
	control, events *os.File
}

// listen takes part in the events as s6-ftrigrd does: a FIFO with a name of the
// right form (s6: src/libs6/ftrigw_notifyb_nosig.c).
func listen(t *tree) *line {
	t.b.Helper()
	dir := filepath.Join(t.scan, s6test.ServiceName(0))
	fifo := filepath.Join(dir, "event", fmt.Sprintf("ftrig1:@%024x:bench0", time.Now().UnixNano()))
	t.must(unix.Mkfifo(fifo, 0o622))
	events, err := os.OpenFile(fifo, os.O_RDWR, 0)
	t.must(err)
	t.b.Cleanup(func() { events.Close() })
	control, err := os.OpenFile(filepath.Join(dir, "supervise", "control"), os.O_WRONLY, 0)
	t.must(err)
	t.b.Cleanup(func() { control.Close() })
	return &line{t, control, events}
}

// ask writes a command and waits for an event; others before it do not matter.
func (l *line) ask(command, event byte) float64 {
	l.t.b.Helper()
	l.events.SetReadDeadline(time.Now().Add(patience))
	begin := time.Now()
	_, err := l.control.Write([]byte{command})
	l.t.must(err)
	for buf := make([]byte, 16); ; {
		n, err := l.events.Read(buf)
		if err != nil {
			l.t.b.Fatalf("%s: no event %c: %v\n%s", l.t.peer.name, event, err, l.t.messages())
		}
		if buf[n-1] == event {
			return milliseconds(time.Since(begin))
		}
	}
}

// BenchmarkRestart: from SIGKILL of a ready service to the next one's first
// words. It was ready long enough for no restart delay to apply.
func BenchmarkRestart(b *testing.B) {
	rounds := 8 * size(b, "BENCH_ROUNDS", 5)
	r := newResults(ours, "ms", "Restart of a service that was killed")
	service := program(b, 0, 0)
	var trees []*tree
	var pids []map[string]int
	for _, p := range present(peers(b), r) {
		trees = append(trees, up(b, p, rounds+1, kind{program: service, notify: true}))
	}
	pause(1500 * time.Millisecond)
	for _, t := range trees {
		pids = append(pids, t.services())
	}
	for i := range rounds + 1 {
		for j, t := range trees {
			took := stopwatch(func() {
				t.must(unix.Kill(pids[j][s6test.ServiceName(i)], syscall.SIGKILL))
				t.await(1)
			})
			if i > 0 {
				r.add(t.peer.name, took)
			}
		}
	}
	r.metrics(b)
}

// services are the processes of services by their names.
func (t *tree) services() map[string]int {
	t.b.Helper()
	found := map[string]int{}
	for _, p := range t.processes() {
		if p.service != "" {
			found[p.service] = p.pid
		}
	}
	return found
}
