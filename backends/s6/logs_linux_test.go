package s6

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// follower reads a log as it grows.
type follower struct {
	t     testing.TB
	lines *bufio.Scanner
}

func (r *rig) follow(name string, opts sm.LogOptions) *follower {
	r.t.Helper()
	opts.Follow = true
	logs, err := r.m.Logs(r.ctx, name, opts)
	must(r.t, err)
	r.t.Cleanup(func() { logs.Close() })
	return &follower{r.t, bufio.NewScanner(logs)}
}

func (f *follower) expect(want string) {
	f.t.Helper()
	if !f.lines.Scan() || f.lines.Text() != want {
		f.t.Fatalf("the log goes on with %q (%v), want %q", f.lines.Text(), f.lines.Err(), want)
	}
}

func (r *rig) logged(name string, opts sm.LogOptions) string {
	r.t.Helper()
	logs, err := r.m.Logs(r.ctx, name, opts)
	must(r.t, err)
	defer logs.Close()
	text, err := io.ReadAll(logs)
	must(r.t, err)
	return string(text)
}

// logger holds the servicedir of a service's logger.
func (r *rig) logger(name string) *service {
	r.t.Helper()
	dir, err := r.open(name).dir.Sub("log")
	must(r.t, err)
	r.t.Cleanup(func() { dir.Close() })
	return &service{m: r.m, name: name, dir: dir}
}

// What a registered service writes comes out again, all of it or the end of
// it, and while it is written.
func TestLogsOfARegisteredService(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Log = sm.LogSpec{Dir: filepath.Join(r.tree.Dir, "log", "web"), Timestamps: sm.TimestampNone, MaxBytes: 4096, MaxFiles: 100}
	r.register(spec)
	p.do("echo one; echo two >&2; echo three")
	f := r.follow("web", sm.LogOptions{})
	for _, line := range []string{"one", "two", "three"} {
		f.expect(line)
	}
	if got := r.logged("web", sm.LogOptions{}); got != "one\ntwo\nthree\n" {
		t.Errorf("all: %q", got)
	}
	if got := r.logged("web", sm.LogOptions{Lines: 2}); got != "two\nthree\n" {
		t.Errorf("the last two: %q", got)
	}
	if got := r.logged("web", sm.LogOptions{Since: time.Now().Add(time.Hour), Lines: 1}); strings.Contains(got, "one") {
		t.Errorf("what comes later: %q", got)
	}

	// Across rotation, by size and by request.
	const lines = 300
	p.do(fmt.Sprintf(`i=0; while [ $i -lt %d ]; do echo "line $i %s"; i=$((i+1)); done`, lines, strings.Repeat("x", 50)))
	for i := range lines {
		f.expect(fmt.Sprintf("line %d %s", i, strings.Repeat("x", 50)))
		if i%100 == 50 {
			must(t, r.logger("web").send(r.ctx, "a"))
		}
	}
	archives, err := filepath.Glob(filepath.Join(spec.Log.Dir, "@*"))
	must(t, err)
	if len(archives) == 0 {
		t.Error("the log was not rotated")
	}
	if got := strings.Count(r.logged("web", sm.LogOptions{}), "\n"); got != lines+3 {
		t.Errorf("%d lines in all, want %d", got, lines+3)
	}
	// A restart of the service, or of its logger, loses nothing.
	r.restart("web")
	p.do("echo after")
	f.expect("after")
}

// Stamps are what a log is searched by.
func TestLogsSince(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Log = sm.LogSpec{Dir: filepath.Join(r.tree.Dir, "log"), Timestamps: sm.TimestampTAI}
	r.register(spec)
	f := r.follow("web", sm.LogOptions{})
	p.do("echo before")
	if !f.lines.Scan() || !strings.HasSuffix(f.lines.Text(), " before") {
		t.Fatalf("got %q", f.lines.Text())
	}
	since := time.Now()
	p.do("echo after")
	if !f.lines.Scan() || !strings.HasSuffix(f.lines.Text(), " after") {
		t.Fatalf("got %q", f.lines.Text())
	}
	if got := r.logged("web", sm.LogOptions{Since: since}); strings.Contains(got, "before") || !strings.HasSuffix(got, " after\n") {
		t.Errorf("since %v: %q", since, got)
	}
}

// The logger of a service that somebody else made is asked where it writes.
func TestLogsOfForeignServices(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	logger := s6test.Tool(t, "s6-log")
	absolute := filepath.Join(r.tree.Dir, "absolute")
	run := func(text string) string { return "#!/bin/sh\necho " + text + "\nexec sleep 1000\n" }
	tests := []struct {
		name string
		files
		linked bool
	}{
		{name: "relative", files: files{"run": run("relative"), "log/run": "#!/bin/sh\nexec " + logger + " n3 s4096 ./main\n"}},
		{name: "absolute", files: files{"run": run("absolute"), "log/run": "#!/bin/sh\nexec " + logger + " -b -- n3 '-^debug' " + absolute + "\n"}},
		{name: "linked", linked: true, files: files{"run": run("linked"), "log/run": "#!/bin/sh\nexec " + logger + " n3 ./main\n"}},
		{name: "written-down", files: files{"run": run("written-down"), "log/run": "#!/bin/sh\nexec " + logger + " ./main\n", "log/directives": "n3\n./main\n"}},
	}
	for _, tc := range tests {
		if tc.files["log/directives"] != "" && r.tree.IsOwn() {
			continue // log/run is not run then
		}
		tc.files["down"] = ""
		if tc.linked {
			r.linked(tc.name, tc.files)
		} else {
			r.servicedir(tc.name, tc.files)
		}
		// The logger is known once it is up and its script has become it.
		r.awaitLog(r.logger(tc.name))
		r.start(tc.name)
		r.follow(tc.name, sm.LogOptions{}).expect(tc.name)
		if got := r.logged(tc.name, sm.LogOptions{Lines: 1}); got != tc.name+"\n" {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}

// awaitLog waits until a logger has made its directory, by the events of the
// file system, as its supervisor knows only of the script before.
func (r *rig) awaitLog(log *service) {
	r.t.Helper()
	mo, err := log.monitor(r.ctx, true)
	must(r.t, err)
	defer mo.close()
	for {
		rec, err := log.record()
		if err == nil && rec.PID != 0 {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", rec.PID)); err == nil && string(b) == "s6-log\n" {
				return
			}
			if err := pause(r.ctx); err != nil { // executing a program has no event
				r.t.Fatal(err)
			}
			continue
		}
		_, err = mo.next(r.ctx)
		must(r.t, err)
	}
}

// Where there is nothing to read the error says what to do about it.
func TestLogsOfServicesWithoutALog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("none"))
	r.servicedir("cat", files{"run": "#!/bin/sh\nexec sleep 1000\n", "log/run": "#!/bin/sh\nexec cat >/dev/null\n"})
	r.servicedir("logger-down", files{"run": "#!/bin/sh\nexec sleep 1000\n", "log/run": "#!/bin/sh\nexec s6-log ./main\n", "log/down": ""})
	r.servicedir("log-is-a-file", files{"run": "#!/bin/sh\nexec sleep 1000\n", "log": ""})
	r.servicedir("script", files{"run": "#!/bin/sh\nexec sleep 1000\n", "log/run": "#!/bin/sh\ncat >/dev/null\n:\n"})
	for _, name := range []string{"none", "cat", "script", "logger-down", "log-is-a-file"} {
		_, err := r.m.Logs(r.ctx, name, sm.LogOptions{})
		if !errors.Is(err, sm.ErrNotSupported) || !strings.Contains(sm.RemedyOf(err), "register it with a log directory") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Following ends with its context, with the reader and with the manager.
func TestLogsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Log = sm.LogSpec{Dir: filepath.Join(r.tree.Dir, "log"), Timestamps: sm.TimestampNone}
	r.register(spec)
	p.do("echo ready")
	r.follow("web", sm.LogOptions{}).expect("ready")
	for name, end := range map[string]func(m *manager, cancel context.CancelFunc, logs io.Closer) error{
		"context": func(_ *manager, cancel context.CancelFunc, _ io.Closer) error { cancel(); return nil },
		"reader":  func(_ *manager, _ context.CancelFunc, logs io.Closer) error { return logs.Close() },
		"manager": func(m *manager, _ context.CancelFunc, _ io.Closer) error { return m.Close() },
	} {
		m := openOn(t, r.tree)
		ctx, cancel := context.WithCancel(r.ctx)
		logs, err := m.Logs(ctx, "web", sm.LogOptions{Follow: true})
		must(t, err)
		lines := bufio.NewReader(logs)
		if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
			t.Errorf("%s: %q, %v", name, line, err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := lines.ReadByte()
			done <- err
		}()
		must(t, end(m, cancel, logs))
		if err := <-done; err == nil {
			t.Errorf("%s: the log went on", name)
		}
		logs.Close()
		cancel()
	}
}
