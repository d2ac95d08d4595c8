package peerbench

import (
	"fmt"
	"sync"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/s6"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// BenchmarkRegisterBurst: fifty services registered by our client on each tree,
// one after the other and all at once, from the Spec to the running process;
// for each service.
func BenchmarkRegisterBurst(b *testing.B) {
	const n = 50
	rounds := 2 * size(b, "BENCH_ROUNDS", 5)
	single := newResults(ours, "ms", "Registration of %d services one after the other, for each", n)
	together := newResults(ours, "ms", "Registration of %d services at once, for each", n)
	service := program(b, 0, 0)
	var bursts []*burst
	for _, p := range present(s6Only(peers(b)), single, together) {
		bursts = append(bursts, newBurst(b, p, service))
	}
	for i := range rounds + 1 {
		for _, u := range bursts {
			x := u.round(n, func(name string) { u.register(name) })
			var all sync.WaitGroup
			y := u.round(n, func(name string) { all.Go(func() { u.register(name) }) }, all.Wait)
			if i > 0 {
				single.add(u.t.peer.name, x)
				together.add(u.t.peer.name, y)
			}
		}
	}
	b.Run("OneByOne", single.metrics)
	b.Run("AtOnce", together.metrics)
}

// burst is a client of a tree.
type burst struct {
	t       *tree
	m       sm.ServiceManager
	service string
}

func newBurst(b *testing.B, p *peer, service string) *burst {
	b.Helper()
	t := newTree(b, p, 0, kind{})
	t.start()
	m, err := s6.Backend().Open(b.Context(), sm.Options{ScanDir: t.scan})
	t.must(err)
	b.Cleanup(func() { m.Close() })
	return &burst{t, m, service}
}

func (u *burst) register(name string) {
	if err := u.m.Register(u.t.b.Context(), sm.Spec{Name: name, Command: []string{u.service}}); err != nil {
		u.t.b.Error(u.t.peer.name, err)
	}
}

// round registers n services and returns the milliseconds for each; it removes
// them untimed.
func (u *burst) round(n int, register func(name string), wait ...func()) float64 {
	b := u.t.b
	b.Helper()
	name := func(i int) string { return fmt.Sprintf("burst-%02d", i) }
	took := stopwatch(func() {
		for i := range n {
			register(name(i))
		}
		for _, f := range wait {
			f()
		}
	})
	if b.Failed() {
		b.FailNow()
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := u.m.Unregister(b.Context(), name(i)); err != nil {
				b.Error(u.t.peer.name, err)
			}
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return took / float64(n)
}
