package smtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func waitBreaches() []breach {
	const waiting = "contract/waiting/"
	return []breach{
		{"a wait never gives up", waiting + "a wait for a service to fail ends at once for a failed one", func(a *altered) {
			a.wait = func(ctx context.Context, name string, until servicemanager.Condition) (status, error) {
				st, err := a.Fake.Wait(ctx, name, until)
				if errors.Is(err, servicemanager.ErrFailed) {
					<-ctx.Done()
					err = &servicemanager.Error{Op: "wait", Service: name, Kind: a.Kind(), Err: ctx.Err()}
				}
				return st, err
			}
		}},
		{"a wait gives up in backoff", waiting + "a wait for a service to be up goes on in backoff", func(a *altered) {
			a.wait = func(ctx context.Context, name string, until servicemanager.Condition) (status, error) {
				if st, err := a.Fake.Status(ctx, name); err == nil && st.State == servicemanager.StateBackoff && until != servicemanager.UntilDown {
					return st, &servicemanager.Error{Op: "wait", Service: name, Kind: a.Kind(), Err: servicemanager.ErrFailed}
				}
				return a.Fake.Wait(ctx, name, until)
			}
		}},
		{"an expired wait tells no status", waiting + "an expired context gives its error and the last status", func(a *altered) {
			a.wait = func(ctx context.Context, name string, until servicemanager.Condition) (status, error) {
				_, err := a.Fake.Wait(ctx, name, until)
				return status{}, err
			}
		}},
		{"finished is taken for down", waiting + "finished means that nothing is about to start", func(a *altered) {
			a.wait = func(ctx context.Context, name string, _ servicemanager.Condition) (status, error) {
				return a.Fake.Wait(ctx, name, servicemanager.UntilDown)
			}
		}},
		{"ready is taken for up", "contract/readiness/a wait for readiness ends with the announcement", func(a *altered) {
			a.wait = func(ctx context.Context, name string, _ servicemanager.Condition) (status, error) {
				return a.Fake.Wait(ctx, name, servicemanager.UntilUp)
			}
		}},
	}
}

func watchBreaches() []breach {
	const watching = "contract/watching/"
	filtered := func(keep func(i int, st status, err error) bool) func(*altered) {
		return func(a *altered) {
			a.watch = func(ctx context.Context, name string) iter.Seq2[status, error] {
				return func(yield func(status, error) bool) {
					i := -1
					for st, err := range a.Fake.Watch(ctx, name) {
						if i++; keep(i, st, err) && !yield(st, err) {
							return
						}
					}
				}
			}
		}
	}
	return []breach{
		{"the present status is not shown", watching + "the present status comes first", filtered(func(i int, _ status, _ error) bool { return i > 0 })},
		{"removal is not told", watching + "a watch of a removed service ends with ErrNotRegistered", filtered(func(_ int, _ status, err error) bool { return err == nil })},
		{"only the first status is shown", watching + "changes are seen as they come", filtered(func(i int, _ status, _ error) bool { return i == 0 })},
		{"a watch outlives its manager", watching + "a watch ends when the manager is closed", func(a *altered) {
			a.watch = a.Fake.Reopen().Watch
		}},
	}
}

func signalBreaches() []breach {
	return []breach{
		{"signals are lost", "contract/signals/a signal reaches the process", func(a *altered) {
			a.signal = func(context.Context, string, syscall.Signal) error { return nil }
		}},
		{"a signal to nobody succeeds", "contract/signals/a service that is down is ErrNotRunning", func(a *altered) {
			a.signal = func(ctx context.Context, name string, sig syscall.Signal) error {
				if err := a.Fake.Signal(ctx, name, sig); !errors.Is(err, servicemanager.ErrNotRunning) {
					return err
				}
				return nil
			}
		}},
		{"the sweep is in disorder", "contract/all services/the Surveyor reports every service as Status does", func(a *altered) {
			a.statusAll = func(ctx context.Context) iter.Seq2[status, error] {
				return func(yield func(status, error) bool) {
					var all []status
					for st := range a.Fake.StatusAll(ctx) {
						all = append(all, st)
					}
					for i := range all {
						if !yield(all[len(all)-1-i], nil) {
							return
						}
					}
				}
			}
		}},
	}
}

func logBreaches() []breach {
	const logging = "contract/logs/"
	logged := func(change func(*servicemanager.LogOptions)) func(*altered) {
		return func(a *altered) {
			a.logs = func(ctx context.Context, name string, opts servicemanager.LogOptions) (io.ReadCloser, error) {
				change(&opts)
				return a.Fake.Logs(ctx, name, opts)
			}
		}
	}
	return []breach{
		{"a limit of lines is not heeded", logging + "a limit gives the last lines", logged(func(o *servicemanager.LogOptions) { o.Lines = 0 })},
		{"a time is not heeded", logging + "a time leaves out what was written before", logged(func(o *servicemanager.LogOptions) { o.Since = time.Time{} })},
		{"a log is not followed", logging + "following gives lines as they are written", func(a *altered) {
			a.logs = func(ctx context.Context, name string, opts servicemanager.LogOptions) (io.ReadCloser, error) {
				opts.Follow = false
				r, err := a.Fake.Logs(ctx, name, opts)
				if err != nil {
					return nil, err
				}
				stored, err := io.ReadAll(r)
				return io.NopCloser(bytes.NewReader(stored)), err
			}
		}},
		{"closing a log does not end a read", logging + "closing the reader ends a read", func(a *altered) {
			a.logs = func(ctx context.Context, name string, opts servicemanager.LogOptions) (io.ReadCloser, error) {
				r, err := a.Fake.Logs(ctx, name, opts)
				return struct {
					io.Reader
					io.Closer
				}{r, io.NopCloser(nil)}, err
			}
		}},
	}
}
