package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// roles are the programs that the tests start.
func roles() map[string]func() int {
	return map[string]func() int{
		"serve":       playServe,
		"hang":        playHang,
		"panic":       func() int { return Run(func(context.Context, func()) error { panic("the roof is on fire") }) },
		"fails":       func() int { return returning(errors.New("no route\nto host")) },
		"fine":        func() int { return returning(nil) },
		"fatal":       func() int { return returning(fmt.Errorf("load: %w", Fatal(errors.New("no such key")))) },
		"again":       func() int { return returning(Again(nil)) },
		"cancelled":   func() int { return returning(context.Canceled) },
		"announce":    playAnnounce,
		"own-pipe":    playOwnPipe,
		"idle":        func() int { waitForEOF(); return 0 },
		"parent":      playParent,
		"environment": playEnvironment,
		"leaks":       playLeaks,
	}
}

func returning(err error) int { return Run(func(context.Context, func()) error { return err }) }

func waitForEOF() { _, _ = io.Copy(io.Discard, os.Stdin) }

func playServe() int {
	return Run(func(ctx context.Context, ready func()) error {
		ready()
		ready()
		say("serving")
		<-ctx.Done()
		say("cause:", context.Cause(ctx))
		return ctx.Err()
	})
}

func playHang() int {
	return Run(func(ctx context.Context, ready func()) error {
		say("serving")
		<-ctx.Done()
		say("asked")
		waitForEOF()
		return nil
	})
}

func playAnnounce() int {
	kind, ok := Supervised()
	say("supervised:", kind, ok)
	say("ready:", Ready())
	say("again:", Ready())
	kind, ok = Supervised()
	say("supervised:", kind, ok)
	say("others:", Status("x"), Stopping(), Watchdog(context.Background(), nil))
	waitForEOF()
	return 0
}

// playOwnPipe has a leftover NOTIFY_FD whose number has become a pipe of its
// own.
func playOwnPipe() int {
	r, w, err := os.Pipe()
	if err != nil {
		say(err)
		return 1
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if err := os.Setenv("NOTIFY_FD", fmt.Sprint(w.Fd())); err != nil {
		say(err)
		return 1
	}
	say("ready:", Ready())
	return 0
}

// playParent starts a child between reading the environment and being ready.
func playParent() int {
	_, _ = Supervised()
	exe, err := os.Executable()
	if err != nil {
		say(err)
		return 1
	}
	child := exec.Command(exe)
	child.Env = append(os.Environ(), roleVariable+"=idle")
	child.Stdin = os.Stdin
	if err := child.Start(); err != nil {
		say(err)
		return 1
	}
	say("ready:", Ready())
	if err := child.Wait(); err != nil {
		say(err)
		return 1
	}
	return 0
}

func playEnvironment() int {
	err := Status("here")
	var left []string
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "NOTIFY_") && !strings.HasPrefix(kv, roleVariable) || strings.HasPrefix(kv, "WATCHDOG_") {
			left = append(left, kv)
		}
	}
	say("status:", err, "left:", len(left), left)
	return 0
}

func playLeaks() int {
	round := func() int {
		return Run(func(_ context.Context, ready func()) error {
			ready()
			return errors.Join(Status("one"), Status("two"))
		})
	}
	_ = round() // starts what the runtime keeps for good
	goroutines, files := runtime.NumGoroutine(), openFiles()
	for range 20 {
		_ = round()
	}
	say("goroutines:", runtime.NumGoroutine()-goroutines, "files:", openFiles()-files)
	return 0
}

// openFiles counts descriptors where the system lists them.
func openFiles() int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
