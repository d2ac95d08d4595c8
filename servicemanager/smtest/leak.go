package smtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// holdings are the goroutines and files of this process, each with what tells
// it from others.
type holdings struct {
	goroutines map[string]string // header's number: stack
	files      map[string]string // descriptor: what it is
}

func takeHoldings() holdings {
	return holdings{goroutines(), openFiles()}
}

func goroutines() map[string]string {
	buf := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	found := map[string]string{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		header, frames, _ := strings.Cut(stack, "\n")
		number, _, _ := strings.Cut(strings.TrimPrefix(header, "goroutine "), " ")
		found[number] = frames
	}
	return found
}

// openFiles is empty where the system does not list them.
func openFiles() map[string]string {
	found := map[string]string{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return found
	}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil { // else it was the descriptor of the reading itself
			found[e.Name()] = target
		}
	}
	return found
}

// since lists what is there now and was not before.
func (h holdings) since(before holdings) []string {
	var leaked []string
	for number, stack := range h.goroutines {
		if _, ok := before.goroutines[number]; !ok {
			leaked = append(leaked, "goroutine:\n"+stack)
		}
	}
	for fd, target := range h.files {
		if before.files[fd] != target {
			leaked = append(leaked, fmt.Sprintf("descriptor %s: %s", fd, target))
		}
	}
	return leaked
}

// leakRule is checked alone, as it looks at the whole process. What ends does
// so a moment after the call that ends it, so it is looked for until it is
// gone; a real leak is reported after leakTime.
func leakRule() rule {
	return rule{name: "close leaves no goroutine and no file", check: func(s *suite) {
		spec := s.anyUp(Ignore(syscall.SIGHUP), Print(1, "line"))
		open := s.Reopen
		if open == nil {
			s.t.Log("the manager cannot be reopened: only what it starts in calls is counted")
			s.exercise(s.m, spec)
			before := takeHoldings()
			s.exercise(s.m, spec)
			s.must(s.m.Close())
			s.wantNothingSince(before)
			return
		}
		round := func() {
			m := open(s.t)
			s.exercise(m, spec)
			s.must(m.Close())
		}
		round() // starts what the runtime and the standard library keep for good
		before := takeHoldings()
		for range 3 {
			round()
		}
		s.wantNothingSince(before)
	}}
}

const leakTime = 10 * time.Second

func (s *suite) wantNothingSince(before holdings) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), min(leakTime, s.Patience))
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		leaked := takeHoldings().since(before)
		if len(leaked) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			for _, l := range leaked {
				s.t.Errorf("still there after Close: %s", l)
			}
			return
		}
	}
}

// exercise uses everything, also in the ways that end early.
func (s *suite) exercise(m servicemanager.ServiceManager, spec servicemanager.Spec) {
	s.t.Helper()
	short := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), 20*time.Millisecond)
	}
	for _, c := range s.calls(m, spec) {
		if c.op != s.door.removeOp {
			ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
			_ = c.do(ctx) // some must fail, as adding what is there
			cancel()
		}
	}
	if w, ok := servicemanager.As[servicemanager.Waiter](m); ok {
		ctx, cancel := short()
		_, _ = w.Wait(ctx, spec.Name, servicemanager.UntilFinished) // expires
		cancel()
	}
	if w, ok := servicemanager.As[servicemanager.Watcher](m); ok && m.Supports(servicemanager.CapWatch) {
		ctx, cancel := short()
		for _, err := range w.Watch(ctx, spec.Name) { // until it expires
			if err != nil && ctx.Err() == nil {
				s.t.Errorf("Watch: %v", err)
			}
		}
		cancel()
	}
	if l, ok := servicemanager.As[servicemanager.LogReader](m); ok {
		ctx, cancel := short()
		if r, err := l.Logs(ctx, spec.Name, servicemanager.LogOptions{Follow: true}); err == nil {
			_, _ = r.Read(make([]byte, 1<<16))
			_, _ = r.Read(make([]byte, 1)) // expires
			_ = r.Close()
		}
		cancel()
	}
	s.must(m.Start(s.ctx(), spec.Name))
}
