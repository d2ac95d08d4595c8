package notify

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// sendTimeout bounds one message to NOTIFY_SOCKET: a manager that does not
// read its socket must not stop the service.
const sendTimeout = 5 * time.Second

// Ready tells the supervisor that the program serves. Only the first success
// is sent; later calls do nothing. It blocks for at most 5 seconds.
//
// Errors: what kept the message from being sent, also where NOTIFY_FD names
// something that is not an inherited pipe. Without a supervisor that listens
// it is nil.
func Ready() error { return current().sayReady() }

// Stopping tells the supervisor that the program is about to end. [Run] does
// it by itself. Only the first success is sent; s6 has no such message. It
// blocks for at most 5 seconds.
func Stopping() error { return current().sayStopping() }

// Status tells the supervisor, in one line for people, what the program does
// now; "" clears the line. Control characters become spaces. Only systemd
// shows it, elsewhere nothing happens. It blocks for at most 5 seconds.
func Status(text string) error { return current().sayStatus(text) }

// Supervised says which kind of supervisor runs this very process as a
// service, and false where none is known to. The evidence, first match wins:
//
//	s6       NOTIFY_FD names an inherited pipe, or the parent is s6-supervise
//	systemd  NOTIFY_SOCKET is set, or INVOCATION_ID is and SYSTEMD_EXEC_PID,
//	         where the manager sets it (248 or newer), is this process
//	launchd  XPC_SERVICE_NAME is set, is neither "0" nor "application.*", and
//	         the parent is process 1
//
// INVOCATION_ID and XPC_SERVICE_NAME alone prove nothing: shells inherit them
// from the terminal program. A program that a service starts as its child is
// therefore not supervised, even if it does the work; let wrappers exec it.
func Supervised() (servicemanager.Kind, bool) {
	k := current().kind
	return k, k != ""
}

// process is the one reader of the environment: a process has one, and what is
// read is removed from it.
var process struct {
	once sync.Once
	n    *notifier
}

func current() *notifier {
	process.once.Do(func() { process.n = takeEnvironment() })
	return process.n
}

// notifier knows where this process's messages go.
type notifier struct {
	kind    servicemanager.Kind // "" when no supervisor is known
	socket  string              // "" when there is none
	beat    time.Duration       // between keep-alives; 0 when none are wanted
	beatErr error               // why WATCHDOG_USEC cannot be used

	mu       sync.Mutex // guards what follows, and the order of messages
	pipe     *os.File   // nil when there is none, or when it was used
	pipeErr  error      // why NOTIFY_FD cannot be used
	ready    bool
	stopping bool
	status   string
}

func takeEnvironment() *notifier {
	n := &notifier{socket: takeVariable("NOTIFY_SOCKET")}
	if fd := takeVariable("NOTIFY_FD"); fd != "" {
		n.pipe, n.pipeErr = inheritedPipe(fd)
	}
	n.beat, n.beatErr = watchdogBeat(takeVariable("WATCHDOG_USEC"), takeVariable("WATCHDOG_PID"), os.Getpid())
	n.kind = supervisor(evidence{
		pipe:       n.pipe != nil,
		socket:     n.socket != "",
		invocation: os.Getenv("INVOCATION_ID"),
		execPID:    os.Getenv("SYSTEMD_EXEC_PID"),
		xpcName:    os.Getenv("XPC_SERVICE_NAME"),
		pid:        os.Getpid(),
		ppid:       os.Getppid(),
		parent:     processName(os.Getppid()),
	})
	if n.pipe != nil {
		n.socket, n.beat, n.beatErr = "", 0, nil
	}
	return n
}

func takeVariable(name string) string {
	value := os.Getenv(name)
	// It fails only for names that no variable can have.
	_ = os.Unsetenv(name)
	return value
}

func (n *notifier) sayReady() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.ready:
		return nil
	case n.pipe != nil:
		n.pipeErr = sendNewline(n.pipe)
		n.pipe = nil
		n.ready = n.pipeErr == nil
		return n.pipeErr
	case n.socket == "":
		return n.pipeErr
	}
	err := n.send("READY=1")
	n.ready = err == nil
	return err
}

func (n *notifier) sayStopping() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopping {
		return nil
	}
	err := n.send("STOPPING=1")
	n.stopping = err == nil
	return err
}

func (n *notifier) sayStatus(text string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status = oneLine(text)
	return n.send("STATUS=" + n.status)
}

// send delivers one datagram. A socket is opened for each: messages are rare,
// and so nothing is held that a child could inherit or that a re-executed
// manager would leave stale.
func (n *notifier) send(message string) error {
	if n.socket == "" {
		return nil
	}
	if err := n.deliver(message); err != nil {
		word, _, _ := strings.Cut(message, "=")
		return fmt.Errorf("notify: cannot send %s to NOTIFY_SOCKET %q: %w; check NotifyAccess= and that the socket can be reached from here", word, n.socket, err)
	}
	return nil
}

func (n *notifier) deliver(message string) error {
	if n.socket[0] != '/' && n.socket[0] != '@' {
		return fmt.Errorf("neither a path nor an abstract name (@...): %w", servicemanager.ErrNotSupported)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the datagram is out or has failed; closing changes neither
	if err := conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(message))
	return err
}

// oneLine keeps a text from adding messages of its own: the protocol separates
// them by newlines.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
