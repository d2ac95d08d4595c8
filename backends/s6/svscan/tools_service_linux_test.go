package svscan_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
)

// service is one service directory of a play, or the log directory of one.
type service struct {
	p    *play
	name string
	dir  string // under the path that the tools get
	made string // where it was made

	sub    *fifodir.Sub
	events string // that came and were not asked for yet

	run, finish int // pids, as told by the processes
	log         *service
}

// begin makes a service directory where no scanner looks, listens in its event
// directory and in that of its logger, and does not publish it.
func (p *play) begin(name string, f files) *service {
	p.t.Helper()
	s := &service{p: p, name: name, dir: p.path(name), made: filepath.Join(p.dir, "made", name)}
	p.write(s.made, f)
	s.listen()
	if info, err := os.Stat(filepath.Join(s.made, "log")); err == nil && info.IsDir() {
		s.log = &service{p: p, name: name + "/log", dir: p.path(name, "log"), made: filepath.Join(s.made, "log")}
		s.log.listen()
	}
	return s
}

// service has the tree supervise a new service, and notes what it reports
// until then.
func (p *play) service(name string, f files) *service {
	p.t.Helper()
	s := p.begin(name, f)
	s.publish()
	p.rescan()
	s.await("s")
	if s.log != nil {
		s.log.await("s")
	}
	return s
}

// publish moves a service directory into the scan directory.
func (s *service) publish() {
	s.p.t.Helper()
	s.p.must(os.Rename(s.made, s.dir))
}

func (p *play) rescan() {
	p.t.Helper()
	p.command(p.scan, ".s6-svscan", "a")
}

// command writes bytes into the control FIFO of a directory, as the tools do.
func (p *play) command(dir, sub, bytes string) {
	p.t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, sub, "control"), os.O_WRONLY|unix.O_NONBLOCK, 0)
	p.must(err)
	defer f.Close()
	_, err = f.WriteString(bytes)
	p.must(err)
}

// send writes bytes into the service's control FIFO.
func (s *service) send(bytes string) {
	s.p.t.Helper()
	s.p.command(s.dir, "supervise", bytes)
}

// listen subscribes to the events, before or after the supervisor has begun.
func (s *service) listen() {
	s.p.t.Helper()
	dir := s.made
	if s.p.exists(s.dir) {
		dir = s.dir
	}
	event := filepath.Join(dir, "event")
	if !s.p.exists(event) {
		s.p.must(os.Mkdir(event, 0o700))
		s.p.must(os.Chmod(event, 0o730|os.ModeSetgid|os.ModeSticky))
	}
	d, err := fsat.Open(event)
	s.p.must(err)
	s.sub, err = fifodir.Subscribe(d)
	s.p.must(err)
	sub := s.sub
	s.p.t.Cleanup(func() {
		sub.Close()
		d.Close()
	})
}

// next returns the events that come next, at least one.
func (s *service) next() string {
	s.p.t.Helper()
	b, err := s.sub.Next(s.p.ctx)
	if err != nil {
		s.p.fatalf("waiting for an event of %s: %v", s.name, err)
	}
	return string(b)
}

// await notes the events up to those that are named, in the order in which
// they came.
func (s *service) await(last string) {
	s.p.t.Helper()
	seen := ""
	for !strings.HasSuffix(seen, last) {
		if s.events == "" {
			s.events = s.next()
		}
		seen, s.events = seen+s.events[:1], s.events[1:]
	}
	s.p.note("%s: events %s", s.name, seen)
}

// record is the status file.
func (s *service) record() (status.Record, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, "supervise/status"))
	if err != nil {
		return status.Record{}, err
	}
	return status.Decode(b)
}

// until waits for a state that has no event.
func (s *service) until(what string, is func(status.Record) bool) {
	s.p.t.Helper()
	s.p.until(s.name+" "+what, func() bool {
		r, err := s.record()
		return err == nil && is(r)
	}, filepath.Join(s.dir, "supervise"))
}

// rewrites waits until the status file is another one, by what is done.
func (s *service) rewrites(do func()) {
	s.p.t.Helper()
	path := filepath.Join(s.dir, "supervise/status")
	before, err := os.Open(path) // open: its inode is nobody else's meanwhile
	s.p.must(err)
	defer before.Close()
	was, err := before.Stat()
	s.p.must(err)
	do()
	s.p.until("a new status of "+s.name, func() bool {
		now, err := os.Stat(path)
		return err == nil && !os.SameFile(was, now)
	}, filepath.Dir(path))
}

// state notes what the status file and the directory say.
func (s *service) state() {
	s.p.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "supervise/status"))
	s.p.must(err)
	r, err := status.Decode(b)
	s.p.must(err)
	pid := "other"
	switch r.PID {
	case 0:
		pid = "none"
	case s.run:
		pid = "run"
	case s.finish:
		pid = "finish"
	}
	down := ""
	if s.p.exists(filepath.Join(s.dir, "down")) {
		down = " down-file"
	}
	s.p.note("%s: %d bytes, flags %#02x, pid %s, wait %#04x, stamps %s%s", s.name, len(b), b[len(b)-1], pid, r.Wait, stamps(r), down)
}

// stamps says how the two times of a record are related, and whether they are
// of this hour: the offset of TAI would make them 37 s wrong.
func stamps(r status.Record) string {
	for _, at := range []time.Time{r.Stamp, r.ReadyStamp} {
		if age := time.Since(at); age < -time.Second || age > 2*patience {
			return fmt.Sprintf("wrong (%v old)", age)
		}
	}
	switch r.Stamp.Compare(r.ReadyStamp) {
	case -1:
		return "changed<ready"
	case 0:
		return "changed=ready"
	}
	return "ready<changed"
}

// tally notes the deaths that are recorded.
func (s *service) tally() {
	s.p.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "supervise/death_tally"))
	s.p.must(err)
	deaths, err := status.DecodeTally(b)
	s.p.must(err)
	var text []string
	for i, d := range deaths {
		at := ""
		if age := time.Since(d.At); age < -time.Second || age > 2*patience || i > 0 && d.At.Before(deaths[i-1].At) {
			at = " at a wrong time"
		}
		if d.Signal != 0 {
			text = append(text, fmt.Sprintf("signal %d%s", d.Signal, at))
		} else {
			text = append(text, fmt.Sprintf("exit %d%s", d.Code, at))
		}
	}
	s.p.note("%s: tally [%s]", s.name, strings.Join(text, ", "))
}

// svc, stat and others run a tool on the service.
func (s *service) svc(options ...string) {
	s.p.t.Helper()
	s.p.tool("s6-svc", append(options, s.dir)...)
}

func (s *service) stat(options ...string) {
	s.p.t.Helper()
	s.p.tool("s6-svstat", append(options, s.dir)...)
}

// voice is a FIFO through which processes of services tell what they do.
type voice struct {
	p     *play
	path  string
	lines *bufio.Reader
	file  *os.File
}

func (p *play) voice(name string) *voice {
	p.t.Helper()
	v := &voice{p: p, path: filepath.Join(p.dir, name)}
	v.file = p.fifo(name)
	v.lines = bufio.NewReader(v.file)
	return v
}

// fifo makes a FIFO that is always open for reading and writing on our side:
// nobody waits to open it.
func (p *play) fifo(name string) *os.File {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	p.must(unix.Mkfifo(path, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	p.must(err)
	p.t.Cleanup(func() { f.Close() })
	return f
}

func (v *voice) line() string {
	v.p.t.Helper()
	v.p.must(v.file.SetReadDeadline(time.Now().Add(patience)))
	line, err := v.lines.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		v.p.fatalf("the processes of %s say nothing more", filepath.Base(v.path))
	}
	v.p.must(err)
	return strings.TrimSuffix(line, "\n")
}

// hears notes what the service's processes tell, up to a line. A line
// "run:PID ..." or "finish:PID ..." makes the pid known and is noted without
// it, as is the last word of a finish where it is the pid of run.
func (s *service) hears(v *voice, last string) {
	s.p.t.Helper()
	for {
		line := s.told(v.line())
		s.p.note("%s: says %s", s.name, s.p.plain(line))
		if line == last || strings.HasPrefix(line, last+" ") {
			return
		}
	}
}

// hearsAll notes the next n lines, whose order is left to chance.
func (s *service) hearsAll(v *voice, n int) {
	s.p.t.Helper()
	var lines []string
	for range n {
		lines = append(lines, s.p.plain(s.told(v.line())))
	}
	slices.Sort(lines)
	s.p.note("%s: says %s", s.name, strings.Join(lines, ", "))
}

func (s *service) told(line string) string {
	who, rest, ok := strings.Cut(line, ":")
	if !ok || who != "run" && who != "finish" {
		return line
	}
	number, words, _ := strings.Cut(rest, " ")
	pid, err := strconv.Atoi(number)
	s.p.must(err)
	if who == "run" {
		s.run = pid
		return strings.TrimSpace("run " + words)
	}
	s.finish = pid
	if args := strings.Fields(words); len(args) == 4 && args[3] == strconv.Itoa(s.run) {
		words = strings.Join(args[:3], " ") + " P"
	}
	return strings.TrimSpace("finish " + words)
}

// has says whether a file of the service exists.
func (s *service) has(name string) bool {
	_, err := os.Lstat(filepath.Join(s.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// gone waits until a process has ended, whoever its parent is.
func (p *play) gone(pid int) {
	p.t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	p.must(err)
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		p.must(err)
		if n == 0 {
			p.fatalf("process %d does not end", pid)
		}
		return
	}
}

// fence has the tree supervise another service, and returns when that runs: the
// tree has done by then what it had to do at once.
func (p *play) fence() {
	p.t.Helper()
	p.fences++
	name := "fence" + strconv.Itoa(p.fences)
	s := &service{p: p, name: name, dir: p.path(name), made: filepath.Join(p.dir, "made", name)}
	p.write(s.made, puppet{voice: p.voice("voice-" + name)}.files())
	s.listen()
	s.publish()
	p.rescan()
	for seen := ""; !strings.HasSuffix(seen, "u"); {
		seen += s.next()
	}
}
