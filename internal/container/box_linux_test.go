package container

import (
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run runs a container to its end.
func (r rig) run(o options, words ...string) result {
	r.t.Helper()
	return r.engine.run(r.t, r.image, o, words)
}

// box is a container that runs until somebody ends it.
type box struct {
	container
	t       testing.TB
	command string // hermes-gateway, where it is in the image
}

func (r rig) start(o options, words ...string) *box {
	r.t.Helper()
	b := &box{container: r.engine.start(r.t, r.image, o, words), t: r.t, command: "hermes-gateway"}
	if r.image.name == initImage.name {
		b.command = "/hermes-gateway"
	}
	return b
}

// await waits until the container has printed a text so often.
func (b *box) await(what string, times int) {
	b.t.Helper()
	b.output().await(b.t, what, times)
}

// do runs a command in it as its user, which must succeed, and returns its output.
func (b *box) do(words ...string) string {
	b.t.Helper()
	r := b.exec("10000", words)
	if r.code != 0 {
		b.t.Fatalf("%q: %+v\nthe container has printed %q", words, r, b.output())
	}
	return r.out
}

// gateway runs hermes-gateway in it.
func (b *box) gateway(words ...string) string {
	b.t.Helper()
	return b.do(append([]string{b.command}, words...)...)
}

// state is a row of status --json.
type state struct {
	Service, State, Wanted string
	PID                    int
	Adopted                bool
	LastExit               *struct{ Code *int } `json:"last_exit"`
}

// look returns nil where there is no tree yet.
func (b *box) look(name string) (*state, result) {
	b.t.Helper()
	r := b.exec("10000", []string{b.command, "status", name, "--json"}) // its code is a state
	var doc struct{ Services []state }
	if json.Unmarshal([]byte(r.out), &doc) != nil || len(doc.Services) != 1 {
		return nil, r
	}
	return &doc.Services[0], r
}

func (b *box) until(name string, holds func() bool) {
	b.t.Helper()
	for end := time.Now().Add(soon); !holds(); {
		if time.Now().After(end) {
			_, r := b.look(name)
			b.t.Fatalf("%s: %+v, %v", name, r, b.top())
		}
	}
}

// with returns its processes that have some words in this order.
func (b *box) with(words string) []process {
	b.t.Helper()
	return slices.DeleteFunc(b.top(), func(p process) bool { return !strings.Contains(p.args, words) })
}

// kill kills the one process that has these words.
func (b *box) kill(words string) {
	b.t.Helper()
	found := b.with(words)
	if len(found) != 1 {
		b.t.Fatalf("%q: %v", words, found)
	}
	must(b.t, syscall.Kill(found[0].pid, syscall.SIGKILL))
}
