package smtest

import (
	"context"
	"errors"
	"os"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func verbBreaches() []breach {
	const starting, restarting, stopping = "contract/starting and stopping/", "contract/restarting/", "contract/stopping in time/"
	return []breach{
		{"start does nothing", starting + "start returns when the process exists", func(a *altered) {
			a.start = func(context.Context, string, ...option) error { return nil }
		}},
		{"start restarts", starting + "starting what is up changes nothing", func(a *altered) { a.start = a.Fake.Restart }},
		{"stop does not wait", stopping + "a process that outlives the stop timeout is killed", func(a *altered) {
			a.stop = func(ctx context.Context, name string, opts ...option) error {
				return a.Fake.Stop(ctx, name, append(opts, servicemanager.NoWait())...)
			}
		}},
		{"stop kills at once", stopping + "a process within its stop timeout is not killed", func(a *altered) {
			a.stop = func(ctx context.Context, name string, _ ...option) error {
				return a.Fake.Stop(ctx, name, servicemanager.StopWithin(1))
			}
		}},
		{"stop drops its options", stopping + "StopWithin kills before the stop timeout", func(a *altered) {
			a.stop = func(ctx context.Context, name string, _ ...option) error { return a.Fake.Stop(ctx, name) }
		}},
		{"stop of what is down fails", starting + "stopping what is down changes nothing", func(a *altered) {
			a.stop = func(ctx context.Context, name string, opts ...option) error {
				if st, err := a.Fake.Status(ctx, name); err == nil && !st.Running() {
					return &servicemanager.Error{Op: "stop", Service: name, Kind: a.Kind(), Err: servicemanager.ErrNotRunning}
				}
				return a.Fake.Stop(ctx, name, opts...)
			}
		}},
		{"restart stops only", restarting + "restart returns when a new process exists", func(a *altered) { a.restart = a.Fake.Stop }},
		{"restart is a death nobody asked for", restarting + "a service that exits with a fatal code comes back", func(a *altered) {
			a.restart = func(ctx context.Context, name string, _ ...option) error {
				return a.Signal(ctx, name, sigTerm)
			}
		}},
		{"restart refuses what is down", restarting + "a service that is down is started", func(a *altered) {
			a.restart = func(ctx context.Context, name string, opts ...option) error {
				if st, err := a.Fake.Status(ctx, name); err == nil && !st.Running() {
					return servicemanager.ErrNotRunning
				}
				return a.Fake.Restart(ctx, name, opts...)
			}
		}},
		{"start leaves it to the restart delay", "contract/deaths nobody asked for/a start does not wait for the restart delay", func(a *altered) {
			a.start = unlessBackoff(a, a.Fake.Start)
		}},
		{"stop leaves the restart delay running", "contract/deaths nobody asked for/a stop ends the restart delay", func(a *altered) {
			a.stop = unlessBackoff(a, a.Fake.Stop)
		}},
		{"restarts are counted when asked for", "contract/deaths nobody asked for/deaths that were asked for make nothing fail and count nothing", func(a *altered) {
			a.status = func(ctx context.Context, name string) (status, error) {
				st, err := a.Fake.Status(ctx, name)
				if st.LastExit != nil {
					st.Restarts++
				}
				return st, err
			}
		}},
	}
}

// unlessBackoff makes a verb that does nothing to a service in backoff.
func unlessBackoff(a *altered, verb func(context.Context, string, ...option) error) func(context.Context, string, ...option) error {
	return func(ctx context.Context, name string, opts ...option) error {
		if st, err := a.Fake.Status(ctx, name); err == nil && st.State == servicemanager.StateBackoff {
			return nil
		}
		return verb(ctx, name, opts...)
	}
}

func statusBreaches() []breach {
	const starting = "contract/starting and stopping/"
	return []breach{
		{"errors are bare", "contract/errors/every call on an absent service says so, in full", func(a *altered) {
			a.status = func(ctx context.Context, name string) (status, error) {
				st, err := a.Fake.Status(ctx, name)
				if err != nil {
					err = servicemanager.ErrNotRegistered
				}
				return st, err
			}
		}},
		{"errors are of another kind", "contract/status/status of an absent service is ErrNotRegistered", func(a *altered) {
			a.status = func(ctx context.Context, name string) (status, error) {
				return a.Fake.reopenAs("other").Status(ctx, name)
			}
		}},
		{"a status is shared", "contract/status/a status does not change once it was returned", func(a *altered) {
			var shared *servicemanager.Exit
			a.status = func(ctx context.Context, name string) (status, error) {
				st, err := a.Fake.Status(ctx, name)
				if shared == nil {
					shared = st.LastExit
				}
				st.LastExit = shared
				return st, err
			}
		}},
		{"a stale pid is shown", starting + "stop returns when the process is gone", func(a *altered) {
			a.status = func(ctx context.Context, name string) (status, error) {
				st, err := a.Fake.Status(ctx, name)
				if !st.Running() {
					st.PID = 4711
				}
				return st, err
			}
		}},
	}
}

func endBreaches() []breach {
	return []breach{
		{"a stop ends with its context", "contract/contexts/the end of the context ends a stop, and the stop goes on", func(a *altered) {
			a.stop = func(ctx context.Context, name string, opts ...option) error {
				err := a.Fake.Stop(ctx, name, opts...)
				if errors.Is(err, context.Canceled) {
					return errors.Join(err, a.Fake.Start(context.Background(), name, servicemanager.NoWait()))
				}
				return err
			}
		}},
		{"a context is not heeded", "contract/contexts/the end of the context ends a restart, and the restart goes on", func(a *altered) {
			a.restart = func(ctx context.Context, name string, opts ...option) error {
				return a.Fake.Restart(context.WithoutCancel(ctx), name, opts...)
			}
		}},
		{"close is not the end", "contract/closing/after close every call answers ErrClosed", func(a *altered) {
			a.status = a.Fake.Reopen().Status
		}},
		{"a second close fails", "contract/closing/closing twice is success", func(a *altered) {
			closed := false
			a.close = func() error {
				if closed {
					return servicemanager.ErrClosed
				}
				closed = true
				return a.Fake.Close()
			}
		}},
		{"a goroutine is left", "leaks/close leaves no goroutine and no file", func(a *altered) {
			a.start = func(ctx context.Context, name string, opts ...option) error {
				go func() { <-make(chan struct{}) }()
				return a.Fake.Start(ctx, name, opts...)
			}
		}},
		{"a file is left", "leaks/close leaves no goroutine and no file", func(a *altered) {
			a.start = func(ctx context.Context, name string, opts ...option) error {
				if f, err := os.CreateTemp("", "smtest-leak-"); err == nil {
					if err := os.Remove(f.Name()); err != nil {
						return err
					}
					leaked.Store(f, true) // or the collector closes it
				}
				return a.Fake.Start(ctx, name, opts...)
			}
		}},
	}
}
