//go:build unix

package notify

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pipe returns a reading end with a deadline and the end for the service.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return r, w
}

func TestReadyOnDescriptor(t *testing.T) {
	r, w := pipe(t)
	s := start(t, "announce", []string{"NOTIFY_FD=3"}, w)
	// The end of file comes while the service still runs: it has closed the
	// descriptor.
	if got, err := io.ReadAll(r); err != nil || string(got) != "\n" {
		t.Errorf("supervisor read %q, %v; want one newline and the end", got, err)
	}
	s.want("supervised: s6 true", "ready: <nil>", "again: <nil>", "supervised: s6 true", "others: <nil> <nil> <nil>")
	_ = s.end()
	s.wantExit(0)
}

func TestReadyOnDescriptorInRun(t *testing.T) {
	r, w := pipe(t)
	s := start(t, "serve", []string{"NOTIFY_FD=3"}, w)
	if got, err := io.ReadAll(r); err != nil || string(got) != "\n" {
		t.Errorf("supervisor read %q, %v; want one newline and the end", got, err)
	}
	s.want("serving")
	s.signal(syscall.SIGTERM)
	s.wantExit(0)
}

func TestReadyDescriptorIsNotInherited(t *testing.T) {
	r, w := pipe(t)
	s := start(t, "parent", []string{"NOTIFY_FD=3"}, w)
	// The service's child lives until its input ends, so an end of file now
	// proves that it does not hold the descriptor.
	if got, err := io.ReadAll(r); err != nil || string(got) != "\n" {
		t.Errorf("supervisor read %q, %v; want one newline and the end", got, err)
	}
	s.want("ready: <nil>")
	_ = s.end()
	s.wantExit(0)
}

func TestReadySupervisorGone(t *testing.T) {
	r, w := pipe(t)
	_ = r.Close()
	s := start(t, "announce", []string{"NOTIFY_FD=3"}, w)
	s.want("supervised: s6 true")
	for range 2 {
		if got := s.line(); !strings.Contains(got, "cannot announce readiness") || !strings.Contains(got, "broken pipe") {
			t.Errorf("service says %q, want the broken pipe", got)
		}
	}
	_ = s.end()
	s.wantExit(0)
}

func TestReadyRefusesDescriptor(t *testing.T) {
	for _, tc := range []struct {
		name, value, why string
		file             bool // descriptor 3 is a regular file
	}{
		{"word", "three", "not a descriptor number", false},
		{"negative", "-1", "not a descriptor number", false},
		{"standard output", "1", "not a descriptor number", false},
		{"too large", "99999999999999999999", "not a descriptor number", false},
		{"closed", "77", "no such open descriptor", false},
		{"regular file", "3", "not a pipe", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var files []*os.File
			if tc.file {
				f, err := os.Create(filepath.Join(t.TempDir(), "f"))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
			}
			s := start(t, "announce", []string{"NOTIFY_FD=" + tc.value}, files...)
			s.want("supervised:  false")
			for range 2 {
				if got := s.line(); !strings.Contains(got, tc.why) || !strings.Contains(got, tc.value) {
					t.Errorf("service says %q, want %q", got, tc.why)
				}
			}
			s.want("supervised:  false", "others: <nil> <nil> <nil>")
			_ = s.end()
			s.wantExit(0)
		})
	}
}

func TestReadyRefusesOwnPipe(t *testing.T) {
	s := start(t, "own-pipe", nil)
	if got := s.line(); !strings.Contains(got, "opened by this program") {
		t.Errorf("service says %q, want a refusal", got)
	}
	s.wantExit(0)
}

func TestNothingListens(t *testing.T) {
	s := start(t, "announce", nil)
	s.want("supervised:  false", "ready: <nil>", "again: <nil>", "supervised:  false", "others: <nil> <nil> <nil>")
	_ = s.end()
	s.wantExit(0)
}

func TestVariablesAreUnset(t *testing.T) {
	_, w := pipe(t)
	s := start(t, "environment", []string{"NOTIFY_FD=3", "NOTIFY_SOCKET=/nowhere", "WATCHDOG_USEC=x", "WATCHDOG_PID=1"}, w)
	s.want("status: <nil> left: 0 []") // nil: NOTIFY_FD wins over the socket
	s.wantExit(0)
}

// managerSocket plays systemd.
type managerSocket struct {
	t    *testing.T
	name string
	conn *net.UnixConn
}

// listen makes a socket; name "" means a path in a temporary directory.
func listen(t *testing.T, name string) *managerSocket {
	t.Helper()
	if name == "" {
		dir, err := os.MkdirTemp("", "n") // t.TempDir is too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		name = filepath.Join(dir, "s")
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &managerSocket{t, name, conn}
}

func (m *managerSocket) next() string {
	m.t.Helper()
	buf := make([]byte, 4096)
	n, err := m.conn.Read(buf)
	if err != nil {
		m.t.Fatalf("no message: %v", err)
	}
	return string(buf[:n])
}

func (m *managerSocket) want(messages ...string) {
	m.t.Helper()
	for _, want := range messages {
		if got := m.next(); got != want {
			m.t.Fatalf("message %q, want %q", got, want)
		}
	}
}

// drain reads until the socket is closed.
func (m *managerSocket) drain() {
	for buf := make([]byte, 4096); ; {
		if _, err := m.conn.Read(buf); err != nil {
			return
		}
	}
}

func TestSocket(t *testing.T) {
	for _, tc := range []struct{ name, socket string }{
		{"path", ""},
		{"abstract", "@notify-test-" + filepath.Base(t.TempDir()) + "-" + time.Now().Format("150405.000000000")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "abstract" && runtime.GOOS != "linux" {
				t.Skip("only Linux has abstract sockets")
			}
			m := listen(t, tc.socket)
			s := start(t, "serve", []string{"NOTIFY_SOCKET=" + m.name})
			s.want("serving")
			s.signal(syscall.SIGTERM)
			s.wantExit(0)
			n := &notifier{socket: m.name}
			if err := n.sayStatus("last"); err != nil {
				t.Fatal(err)
			}
			m.want("READY=1", "STOPPING=1", "STATUS=last") // each once
		})
	}
}

func TestSocketStoppingWithoutSignal(t *testing.T) {
	m := listen(t, "")
	start(t, "again", []string{"NOTIFY_SOCKET=" + m.name}).wantExit(75)
	m.want("STOPPING=1")
}

func TestSocketMessages(t *testing.T) {
	m := listen(t, "")
	n := &notifier{socket: m.name}
	if err := errors.Join(n.sayReady(), n.sayReady(), n.sayStatus("one\nREADY=0\ttwo"), n.sayStatus(""),
		n.sayStopping(), n.sayStopping(), n.sayStatus("end")); err != nil {
		t.Fatal(err)
	}
	m.want("READY=1", "STATUS=one READY=0 two", "STATUS=", "STOPPING=1", "STATUS=end")
}

func TestSocketFailures(t *testing.T) {
	for _, tc := range []struct {
		name, socket string
		is           error
	}{
		{"absent", filepath.Join(t.TempDir(), "none"), syscall.ENOENT},
		{"vsock", "vsock:2:1234", errors.ErrUnsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := &notifier{socket: tc.socket}
			err := n.sayReady()
			if !errors.Is(err, tc.is) || !strings.Contains(err.Error(), "READY to NOTIFY_SOCKET") {
				t.Errorf("Ready: %v, want %v named", err, tc.is)
			}
			if n.ready {
				t.Error("a failed announcement counts as made")
			}
		})
	}
}

// A service that cannot reach its supervisor says so once and serves on.
func TestRunSurvivesUnreachableSocket(t *testing.T) {
	s := start(t, "serve", []string{"NOTIFY_SOCKET=/nonexistent/socket"})
	s.want("serving")
	s.signal(syscall.SIGTERM)
	stderr := s.wantExit(0)
	if strings.Count(stderr, "STOPPING") != 1 || !strings.Contains(stderr, "cannot send READY") {
		t.Errorf("stderr %q, want READY and one STOPPING named", stderr)
	}
}
