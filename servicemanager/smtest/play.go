package smtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager/notify"
)

// Exit codes of a program that cannot do what it was told; tests do not use
// them for anything else.
const (
	codeBadScript = 96
	codeCannot    = 97
)

// play is the main of a program.
func play(argv []string) int {
	given := takeReport()
	script, err := parseScript(argv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "smtest program:", err)
		return codeBadScript
	}
	if len(script) > 0 && script[0].verb == "notify" {
		return playNotify()
	}
	p := &player{reactions: newReactions(script), told: make(chan syscall.Signal, 1024)}
	p.listen(handled(script))
	for _, a := range script {
		if a.verb == "exit" {
			return a.code
		}
		if err := p.do(a, given); err != nil {
			fmt.Fprintf(os.Stderr, "smtest program: %s: %v\n", a.verb, err)
			return codeCannot
		}
	}
	select {}
}

// playNotify is the whole of a service as package notify's documentation shows
// it.
func playNotify() int {
	return notify.Run(func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		return nil
	})
}

// player is a running program. The process is its owner: nothing of it ends
// before the process does.
type player struct {
	mu        sync.Mutex // guards reactions
	reactions reactions

	told chan syscall.Signal // signals that steps wait for
}

func (p *player) listen(sigs []syscall.Signal) {
	arrived := make(chan os.Signal, 1024)
	for _, sig := range sigs {
		signal.Notify(arrived, sig)
	}
	go func() {
		for s := range arrived {
			if sig, ok := s.(syscall.Signal); ok {
				p.react(sig)
			}
		}
	}()
}

func (p *player) react(sig syscall.Signal) {
	p.mu.Lock()
	r := p.reactions[sig]
	p.mu.Unlock()
	switch r.verb {
	case "ignore":
	case "on":
		if r.delay > 0 {
			time.AfterFunc(r.delay, func() { syscall.Exit(r.code) })
			return
		}
		syscall.Exit(r.code)
	default:
		p.told <- sig
	}
}

func (p *player) do(a action, given Report) error {
	switch a.verb {
	case "on", "ignore":
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reactions[a.sig] = a
		return nil
	case "await":
		p.await(a.sig)
		return nil
	case "announce":
		return notify.Ready()
	case "announce-fd":
		return announceOn(a.count)
	case "print":
		return printLines(a.count, a.text)
	case "report":
		return given.write(a.text)
	case "hello":
		return sayHello(a.text)
	default:
		return fmt.Errorf("cannot be done here")
	}
}

// await drops signals that no step waits for.
func (p *player) await(sig syscall.Signal) {
	for got := range p.told {
		if got == sig {
			return
		}
	}
}

func announceOn(fd int) error {
	f := os.NewFile(uintptr(fd), "readiness")
	if f == nil {
		return os.ErrInvalid
	}
	if _, err := f.WriteString("\n"); err != nil {
		return err
	}
	return f.Close()
}

func printLines(count int, line string) error {
	var b strings.Builder
	for i := range count {
		b.WriteString(numbered(line, i+1))
		b.WriteByte('\n')
	}
	_, err := os.Stdout.WriteString(b.String())
	return err
}

func numbered(line string, n int) string { return line + " " + strconv.Itoa(n) }

// sayHello tells the suite the pid.
func sayHello(socket string) error {
	conn, err := new(net.Dialer).DialContext(context.Background(), "unix", socket) // killing us ends it
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // what matters was written or has failed
	_, err = fmt.Fprintln(conn, os.Getpid())
	return err
}
