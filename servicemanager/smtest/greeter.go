package smtest

import (
	"bufio"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// greeter hears from programs that they run: the one event that a program can
// cause on every manager alike. From then on its signals do what its script
// says.
type greeter struct {
	socket string

	mu      sync.Mutex // guards seen and changed
	seen    map[int]bool
	changed chan struct{} // closed at the next greeting
}

// greetingTime bounds the reading of one line from a program that is being
// killed.
const greetingTime = 10 * time.Second

func newGreeter(t *testing.T) *greeter {
	t.Helper()
	dir, err := os.MkdirTemp("", "sm") // short: paths of sockets have about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	g := &greeter{socket: filepath.Join(dir, "s"), seen: map[int]bool{}, changed: make(chan struct{})}
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { g.serve(l) })
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		work.Wait()
	})
	for path, mode := range map[string]os.FileMode{dir: 0o755, g.socket: 0o777} { // services may run as another user
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func (g *greeter) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		g.hear(conn)
	}
}

func (g *greeter) hear(conn net.Conn) {
	defer func() { _ = conn.Close() }() // what was read was read
	if conn.SetReadDeadline(time.Now().Add(greetingTime)) != nil {
		return
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return // it was killed at this very moment
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen[pid] = true
	close(g.changed)
	g.changed = make(chan struct{})
}

// await waits for the greeting of a process.
func (g *greeter) await(t *testing.T, ctx context.Context, pid int) {
	t.Helper()
	for {
		g.mu.Lock()
		seen, changed := g.seen[pid], g.changed
		g.mu.Unlock()
		if seen {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("process %d has not reached its first step in time; is smtest.Main called in TestMain?", pid)
		}
	}
}
