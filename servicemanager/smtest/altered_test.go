package smtest

import (
	"context"
	"io"
	"iter"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

type (
	status = servicemanager.Status
	spec   = servicemanager.Spec
	option = servicemanager.ActOption
	verb   func(context.Context, string, ...option) error
)

// altered is a fake with some methods replaced.
type altered struct {
	*Fake
	supports             func(servicemanager.Capability) bool
	register             func(context.Context, spec) error
	unregister           func(context.Context, string) error
	list                 func(context.Context) ([]string, error)
	start, stop, restart verb
	status               func(context.Context, string) (status, error)
	wait                 func(context.Context, string, servicemanager.Condition) (status, error)
	watch                func(context.Context, string) iter.Seq2[status, error]
	logs                 func(context.Context, string, servicemanager.LogOptions) (io.ReadCloser, error)
	signal               func(context.Context, string, syscall.Signal) error
	statusAll            func(context.Context) iter.Seq2[status, error]
	close                func() error
}

func (a *altered) Supports(c servicemanager.Capability) bool {
	if a.supports != nil {
		return a.supports(c)
	}
	return a.Fake.Supports(c)
}

func (a *altered) Register(ctx context.Context, sp spec) error {
	if a.register != nil {
		return a.register(ctx, sp)
	}
	return a.Fake.Register(ctx, sp)
}

func (a *altered) Unregister(ctx context.Context, name string) error {
	if a.unregister != nil {
		return a.unregister(ctx, name)
	}
	return a.Fake.Unregister(ctx, name)
}

func (a *altered) List(ctx context.Context) ([]string, error) {
	if a.list != nil {
		return a.list(ctx)
	}
	return a.Fake.List(ctx)
}

func (a *altered) Start(ctx context.Context, name string, opts ...option) error {
	if a.start != nil {
		return a.start(ctx, name, opts...)
	}
	return a.Fake.Start(ctx, name, opts...)
}

func (a *altered) Stop(ctx context.Context, name string, opts ...option) error {
	if a.stop != nil {
		return a.stop(ctx, name, opts...)
	}
	return a.Fake.Stop(ctx, name, opts...)
}

func (a *altered) Restart(ctx context.Context, name string, opts ...option) error {
	if a.restart != nil {
		return a.restart(ctx, name, opts...)
	}
	return a.Fake.Restart(ctx, name, opts...)
}

func (a *altered) Status(ctx context.Context, name string) (status, error) {
	if a.status != nil {
		return a.status(ctx, name)
	}
	return a.Fake.Status(ctx, name)
}

func (a *altered) Wait(ctx context.Context, name string, until servicemanager.Condition) (status, error) {
	if a.wait != nil {
		return a.wait(ctx, name, until)
	}
	return a.Fake.Wait(ctx, name, until)
}

func (a *altered) Watch(ctx context.Context, name string) iter.Seq2[status, error] {
	if a.watch != nil {
		return a.watch(ctx, name)
	}
	return a.Fake.Watch(ctx, name)
}

func (a *altered) Logs(ctx context.Context, name string, opts servicemanager.LogOptions) (io.ReadCloser, error) {
	if a.logs != nil {
		return a.logs(ctx, name, opts)
	}
	return a.Fake.Logs(ctx, name, opts)
}

func (a *altered) Signal(ctx context.Context, name string, sig syscall.Signal) error {
	if a.signal != nil {
		return a.signal(ctx, name, sig)
	}
	return a.Fake.Signal(ctx, name, sig)
}

func (a *altered) StatusAll(ctx context.Context) iter.Seq2[status, error] {
	if a.statusAll != nil {
		return a.statusAll(ctx)
	}
	return a.Fake.StatusAll(ctx)
}

func (a *altered) Close() error {
	if a.close != nil {
		return a.close()
	}
	return a.Fake.Close()
}
