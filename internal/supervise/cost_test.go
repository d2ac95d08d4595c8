package supervise

import (
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// plainPorts cost as little as ports can, so that what is measured is the
// engine's.
type plainPorts struct{ began *sync.WaitGroup }

func (plainPorts) Read(string) ([]byte, error)      { return nil, fs.ErrNotExist }
func (plainPorts) Exists(string) (bool, error)      { return false, nil }
func (plainPorts) Start(StartSpec) (Child, error)   { return plainChild{make(chan Exit, 1)}, nil }
func (plainPorts) ReleaseStdio()                    {}
func (plainPorts) WriteStatus(Status) error         { return nil }
func (plainPorts) WriteNote(Note) error             { return nil }
func (plainPorts) WriteInstance(in Instance) error  { return nil }
func (plainPorts) AddDeath(d Death, keep int) error { return nil }
func (plainPorts) ClearDeaths() error               { return nil }
func (plainPorts) SetDown(down bool) error          { return nil }
func (p plainPorts) Notify(events string) {
	if events == "u" {
		p.began.Done()
	}
}

type plainChild struct{ exit chan Exit }

func (plainChild) PID() int                          { return 1 }
func (plainChild) Ticks() uint64                     { return 1 }
func (c plainChild) Exit() <-chan Exit               { return c.exit }
func (plainChild) Ready() <-chan bool                { return nil }
func (plainChild) CloseReady()                       {}
func (plainChild) Signal(syscall.Signal, bool) error { return nil }
func (plainChild) Release()                          {}

// What a service costs while nothing happens: its goroutine, its state, its
// mailbox, its timers.
func BenchmarkIdleService(b *testing.B) {
	const services = 1000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var began, ended sync.WaitGroup
		began.Add(services)
		all := make([]*Service, services)
		for i := range all {
			p := plainPorts{&began}
			all[i] = New(Config{Name: "web", Files: p, Processes: p, Store: p})
			ended.Go(func() { all[i].Run(b.Context()) })
		}
		began.Wait()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/services, "heap-B/service")
		b.ReportMetric(float64(int64(after.StackInuse)-int64(before.StackInuse))/services, "stack-B/service")
		for _, s := range all {
			s.Signal(Quit)
		}
		ended.Wait()
	}
}
