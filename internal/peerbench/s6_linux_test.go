package peerbench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/s6"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

const rounds = 40

func open(b *testing.B, tr *s6test.Tree) sm.ServiceManager {
	b.Helper()
	m, err := s6.Backend().Open(b.Context(), sm.Options{ScanDir: tr.ScanDir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

func sleeper(name string) sm.Spec {
	return sm.Spec{Name: name, Command: []string{"sleep", "100000"}}
}

func run(b testing.TB, name string, args ...string) {
	b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s %v: %v %s", name, args, err, out)
	}
}

// command is our binary, built by make bench.
func command(b *testing.B) string {
	b.Helper()
	bin := os.Getenv("HERMES_GATEWAY_BIN")
	if bin == "" {
		b.Skip("HERMES_GATEWAY_BIN names no binary; run make bench")
	}
	return bin
}

// byHand makes a servicedir without any help of ours.
func byHand(b *testing.B, dir string) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "event"), 0o700); err != nil { // to listen in from the start
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\nexec sleep 100000\n"), 0o755); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStatusOf1000: one call for 1,000 services, beside 1,000 runs of
// s6-svstat. Per service.
func BenchmarkStatusOf1000(b *testing.B) {
	const n = 1000
	svstat := s6test.Tool(b, "s6-svstat")
	tr := s6test.Start(b, s6test.Services(n, func(dir string) { byHand(b, dir) }))
	m := open(b, tr)
	for i := range n {
		if err := m.Start(b.Context(), s6test.ServiceName(i)); err != nil {
			b.Fatal(err)
		}
	}
	sideBySide(b, 5, n, func() {
		seen := 0
		for st, err := range sm.StatusAll(b.Context(), m) {
			if err != nil || st.State != sm.StateUp {
				b.Fatalf("%+v %v", st, err)
			}
			seen++
		}
		if seen != n {
			b.Fatalf("%d services", seen)
		}
	}, func() {
		for i := range n {
			run(b, svstat, filepath.Join(tr.ScanDir, s6test.ServiceName(i)))
		}
	})
}

// BenchmarkRegister: from a Spec to a running process, beside what a script
// does with mkdir and s6-svscanctl; we wait for both, which costs a script one
// more program.
func BenchmarkRegister(b *testing.B) {
	svscanctl := s6test.Tool(b, "s6-svscanctl")
	tr := s6test.Start(b)
	m := open(b, tr)
	i := 0
	sideBySide(b, rounds, 1, func() {
		i++
		if err := m.Register(b.Context(), sleeper(fmt.Sprint("ours-", i))); err != nil {
			b.Fatal(err)
		}
	}, func() {
		dir := filepath.Join(tr.ScanDir, fmt.Sprint("peer-", i))
		byHand(b, dir)
		run(b, svscanctl, "-a", tr.ScanDir)
		if _, err := m.(sm.Waiter).Wait(b.Context(), filepath.Base(dir), sm.UntilUp); err != nil {
			b.Fatal(err)
		}
	})
}

// actions benchmarks one of our commands beside the s6-svc line that does the
// same; undo brings the service back, untimed.
func actions(b *testing.B, rounds int, ours string, peer []string, undo func(ctx context.Context, m sm.ServiceManager, name string) error) {
	bin, svc := command(b), s6test.Tool(b, "s6-svc")
	tr := s6test.Start(b)
	m := open(b, tr)
	if err := m.Register(b.Context(), sleeper("ours")); err != nil {
		b.Fatal(err)
	}
	byHand(b, filepath.Join(tr.ScanDir, "peer")) // without the crash-loop cap of ours
	if err := m.Start(b.Context(), "peer"); err != nil {
		b.Fatal(err)
	}
	reset := func(name string) {
		if err := undo(b.Context(), m, name); err != nil {
			b.Fatal(err)
		}
	}
	timed := func(name, program string, args ...string) func() float64 {
		return func() float64 {
			reset(name)
			return stopwatch(func() { run(b, program, args...) })
		}
	}
	pair(b, "ms", rounds,
		timed("ours", bin, "--scandir", tr.ScanDir, "--exact", "--quiet", ours, "ours"),
		timed("peer", svc, append(peer, filepath.Join(tr.ScanDir, "peer"))...))
}

// BenchmarkCommandRestart: s6-svc -r is subject to the pause of a second between
// two starts, ours is not.
func BenchmarkCommandRestart(b *testing.B) {
	actions(b, 10, "restart", []string{"-wr", "-r"}, func(ctx context.Context, m sm.ServiceManager, name string) error {
		_, err := m.(sm.Waiter).Wait(ctx, name, sm.UntilUp)
		return err
	})
}

// BenchmarkStatusSystemCalls counts the system calls of one status, ours as
// the difference between a process that asks once and one that asks 101 times,
// s6-svstat's as a whole.
func BenchmarkStatusSystemCalls(b *testing.B) {
	svstat := s6test.Tool(b, "s6-svstat")
	strace, err := exec.LookPath("strace")
	if err != nil {
		s6test.Missing(b, "strace is not installed")
	}
	tr := s6test.Start(b)
	m := open(b, tr)
	if err := m.Register(b.Context(), sleeper("web")); err != nil {
		b.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	self := func(times string) int {
		return countCalls(b, strace, []string{"ASK_SCANDIR=" + tr.ScanDir, "ASK_TIMES=" + times}, exe)
	}
	ours := float64(self("101")-self("1")) / 100
	peer := float64(countCalls(b, strace, nil, svstat, filepath.Join(tr.ScanDir, "web")))
	r := newResults("ours", "calls", "System calls of one status")
	r.add("ours", ours)
	r.add("s6-svstat", peer)
	r.metrics(b)
}

func countCalls(b *testing.B, strace string, env []string, argv ...string) int {
	b.Helper()
	out := filepath.Join(b.TempDir(), "calls")
	cmd := exec.Command(strace, append([]string{"-f", "-qq", "-e", "trace=file,desc", "-o", out}, argv...)...)
	cmd.Env = append(os.Environ(), env...)
	if msg, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v %s", argv, err, msg)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		b.Fatal(err)
	}
	return strings.Count(string(text), "(") - strings.Count(string(text), "resumed")
}

// TestMain prints the tables at the end, and is also the child that
// BenchmarkStatusSystemCalls counts, and a main program of inits.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == makeOrphans {
		made, err := orphaned(os.Args[2], os.Args[3])
		fmt.Printf("%d orphans", made)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(allReaped)
	}
	if dir := os.Getenv("ASK_SCANDIR"); dir != "" {
		os.Exit(ask(dir, os.Getenv("ASK_TIMES")))
	}
	if err := adopt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else every program with the race detector ends a second later
	code := s6test.Main(m)
	reapAll()
	printTables(os.Stdout)
	os.Exit(code)
}

func ask(dir, times string) int {
	ctx := context.Background()
	m, err := s6.Backend().Open(ctx, sm.Options{ScanDir: dir})
	if err != nil {
		return 1
	}
	defer m.Close()
	var n int
	fmt.Sscan(times, &n)
	for range n {
		if _, err := m.Status(ctx, "web"); err != nil {
			return 1
		}
	}
	return 0
}
