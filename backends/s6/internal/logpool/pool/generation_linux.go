package pool

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
)

// generation is one log process.
type generation struct {
	process *reaper.Process
	pid     int
	send    *wire.Sender
	answers *os.File
	exited  chan reaper.Exit
	heard   chan struct{} // closed: there are no more answers
}

// generation runs one process to its end. The error says how that came.
func (p *Pool) generation(ctx context.Context) error {
	g, err := p.start()
	if err != nil {
		return fmt.Errorf("cannot be started: %w", err)
	}
	p.begin(g)
	var exit reaper.Exit
	end := p.end
	for waiting := true; waiting; {
		select {
		case exit = <-g.exited:
			waiting = false
		case <-end:
			g.send.Close() // the end of its input
			end = nil
		case <-ctx.Done():
			g.process.Release()
			waiting = false
		}
	}
	g.close()
	p.finish(g, exit)
	return fmt.Errorf("(process %d) %s", g.pid, ending(exit))
}

func ending(e reaper.Exit) string {
	switch s := e.Status; {
	case e.Unknown:
		return "has ended"
	case s.Signaled():
		return "was killed by signal " + strconv.Itoa(int(s.Signal()))
	default:
		return "exited with code " + strconv.Itoa(s.ExitStatus())
	}
}

// start starts a process. Its ends of the pipes block, ours do not.
func (p *Pool) start() (*generation, error) {
	var commands, answers [2]int
	if err := unix.Pipe2(commands[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	if err := unix.Pipe2(answers[:], unix.O_CLOEXEC); err != nil {
		closeAll(commands[:])
		return nil, os.NewSyscallError("pipe2", err)
	}
	files, args := []int{commands[0], answers[1], p.cfg.Stderr}, p.cfg.Command
	if p.cfg.Stdout >= 0 {
		files = append(files, p.cfg.Stdout)
		args = append(slices.Clip(args), logpool.LinesFlag)
	}
	g := &generation{exited: make(chan reaper.Exit, 1), heard: make(chan struct{})}
	process, err := p.cfg.Reaper.Start(reaper.Spec{
		Path: p.cfg.Command[0], Args: args, Env: p.cfg.Env, Dir: -1, Files: files,
		Exited: func(e reaper.Exit) { g.exited <- e },
	})
	closeAll([]int{commands[0], answers[1]})
	if err != nil {
		closeAll([]int{commands[1], answers[0]})
		return nil, err
	}
	g.process, g.pid = process, process.PID()
	g.send = wire.NewSender(file(commands[1], "commands to the log process"))
	g.answers = file(answers[0], "answers of the log process")
	go p.hear(g)
	return g, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// file is a pipe end for the runtime's poller.
func file(fd int, name string) *os.File {
	_ = unix.SetNonblock(fd, true) // it cannot fail for a pipe
	return os.NewFile(uintptr(fd), name)
}

// hear takes the answers.
func (p *Pool) hear(g *generation) {
	defer close(g.heard)
	defer g.answers.Close()
	lines := bufio.NewScanner(g.answers)
	lines.Buffer(nil, wire.MaxLine)
	for lines.Scan() {
		m, err := wire.Parse(lines.Text())
		if err != nil {
			p.cfg.Warn(fmt.Sprintf("the log process %d said what is not understood: %v", g.pid, err))
			continue
		}
		p.take(g, m)
	}
}

// close ends what belongs to a process that is dead or left to itself. What a
// dead one has said is heard first.
func (g *generation) close() {
	// One that is left to itself keeps its end open.
	g.answers.SetReadDeadline(time.Now().Add(lastWords))
	<-g.heard
	g.send.Abort()
}

// lastWords is how long the answers of a process that is gone are waited for.
// They are there; only a descriptor that leaked would keep the pipe open.
const lastWords = 100 * time.Millisecond
