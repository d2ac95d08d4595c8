package cli

import (
	"context"
	"slices"
	"strings"
	"testing"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestStatusWatch(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web")).has(down("gateway-coder"))
	b.fake.watchers, b.fake.watching = 2, make(chan struct{})
	web, coder := make(chan sm.Status), make(chan sm.Status)
	b.fake.changes["web"], b.fake.changes["gateway-coder"] = web, coder
	out := lineReader{make(chan string, 10)}
	b.proc.Out = out
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- Run(ctx, []string{"status", "--watch"}, b.proc) }()

	at := "2026-01-02T03:04:05.678Z "
	first := out.take(t, 2)
	slices.Sort(first)
	want := []string{at + "coder down: wanted down for 5m0s, not started so far\n", at + "web up (pid 100)\n"}
	if !slices.Equal(first, want) {
		t.Errorf("got %q, want %q", first, want)
	}
	<-b.fake.watching
	died := down("web")
	died.WantUp, died.State, died.LastExit = true, sm.StateBackoff, &sm.Exit{Code: 3}
	web <- died
	if got, want := out.take(t, 1)[0], at+"web backoff: died, and waits to be started again, last exit code 3\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	waiting := up("gateway-coder")
	waiting.Ready = false
	coder <- waiting
	if got, want := out.take(t, 1)[0], at+"coder up (pid 100) not ready\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	close(web)
	if got, want := out.take(t, 1)[0], at+"web removed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	if b.err.Len() > 0 {
		t.Errorf("stderr is %q", b.err.String())
	}
}

func TestWatchEndsWithTheLastService(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web"))
	b.fake.watchers, b.fake.watching = 1, make(chan struct{})
	web := make(chan sm.Status)
	close(web)
	b.fake.changes["web"] = web
	b.want(0, "web removed\n", "", "status", "--watch")
}

func TestWatchRefusals(t *testing.T) {
	b := newBench(t)
	b.want(2, "", "--watch has no JSON form", "status", "--watch", "--json")
	b.want(4, "", "no such profile or service", "status", "--watch", "nope")
	b.fake.has(up("web"))
	b.backend.m = hostManager{sm.NoRegistrar{Manager: sm.KindSystemd}, b.fake}
	b.want(3, "", "watching: not supported by this service manager (systemd); look again with hermes-gateway status\n", "status", "--watch", "web")
}

func TestScreenIsDrawnAtOnce(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web")).has(down("off"))
	a := newApp(b.proc)
	o, err := a.survey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a.drawScreen(o, statusFlags{})
	got := b.out.String()
	if !strings.HasPrefix(got, "\x1b[HNAME") || !strings.HasSuffix(got, "\x1b[K\n\x1b[J") || strings.Count(got, "\n") != strings.Count(got, "\x1b[K\n") {
		t.Errorf("drew %q", got)
	}
}
