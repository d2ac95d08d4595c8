package smtest

import (
	"context"
	"errors"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// changed registers something else than it was asked to.
func changed(change func(*spec)) func(*altered) {
	return func(a *altered) {
		a.register = func(ctx context.Context, sp spec) error {
			change(&sp)
			return a.Fake.Register(ctx, sp)
		}
	}
}

func fieldBreaches() []breach {
	const adding, dying = "contract/adding and removing/", "contract/deaths nobody asked for/"
	return []breach{
		{"down is forgotten", adding + "a service added down does not run", changed(func(sp *spec) { sp.Down = false })},
		{"the restart policy is forgotten", dying + "never: a service that exits 3 is not restarted", changed(func(sp *spec) { sp.Restart = 0 })},
		{"fatal exit codes are forgotten", dying + "a fatal exit code makes a service failed", changed(func(sp *spec) { sp.FatalExitCodes = nil })},
		{"readiness is forgotten", "contract/readiness/a service is starting until it announces readiness", changed(func(sp *spec) { sp.Ready = 0 })},
		{"the stop timeout is forgotten", "contract/stopping in time/a process that outlives the stop timeout is killed", changed(func(sp *spec) { sp.StopTimeout = 0 })},
		{"the stop signal is forgotten", "contract/stopping in time/the stop signal is the spec's", changed(func(sp *spec) { sp.StopSignal, sp.StopTimeout = 0, time.Millisecond })},
		{"the restart delay is forgotten", dying + "the restart delay is the spec's", changed(func(sp *spec) { sp.RestartDelay, sp.RestartMaxDelay = 0, 0 })},
	}
}

func registrarBreaches() []breach {
	const adding = "contract/adding and removing/"
	return []breach{
		{"a field is refused that was not announced", "contract/fields of a spec/Description is honoured, or refused as announced", func(a *altered) {
			a.register = func(ctx context.Context, sp spec) error {
				if sp.Description != "" {
					return &servicemanager.Error{Op: "register", Service: sp.Name, Kind: a.Kind(), Err: &servicemanager.SpecError{Field: "Description", Reason: "is long"}}
				}
				return a.Fake.Register(ctx, sp)
			}
		}},
		{"an ended context is not heeded", adding + "a context that has ended lets nothing be added", func(a *altered) {
			a.register = func(ctx context.Context, sp spec) error { return a.Fake.Register(context.WithoutCancel(ctx), sp) }
		}},
		{"a cancelled registration stays", adding + "a context that has ended lets nothing be added", func(a *altered) {
			a.register = func(ctx context.Context, sp spec) error {
				if err := a.Fake.Register(context.WithoutCancel(ctx), sp); err != nil || ctx.Err() == nil {
					return err
				}
				return &servicemanager.Error{Op: "register", Service: sp.Name, Kind: a.Kind(), Err: ctx.Err()}
			}
		}},
		{"sameness is not told", adding + "a taken name says whether the spec is the same", func(a *altered) {
			a.register = func(ctx context.Context, sp spec) error {
				err := a.Fake.Register(ctx, sp)
				if errors.Is(err, servicemanager.ErrAlreadyRegistered) {
					err = &servicemanager.Error{Op: "register", Service: sp.Name, Kind: a.Kind(), Err: servicemanager.ErrAlreadyRegistered}
				}
				return err
			}
		}},
		{"a taken name is overwritten", adding + "of fifty who add one name exactly one wins", func(a *altered) {
			a.register = func(ctx context.Context, sp spec) error {
				err := a.Fake.Register(ctx, sp)
				if errors.Is(err, servicemanager.ErrAlreadyRegistered) {
					return nil
				}
				return err
			}
		}},
		{"an invalid spec is accepted", adding + "an invalid spec leaves nothing", changed(func(sp *spec) {
			if len(sp.Command) == 0 {
				sp.Command = Program()
			}
		})},
	}
}

func removalBreaches() []breach {
	const adding = "contract/adding and removing/"
	return []breach{
		{"removing forgets to stop", adding + "removing ends a running service", func(a *altered) {
			a.unregister = func(ctx context.Context, name string) error {
				return a.SetSupervised(name, false)
			}
		}},
		{"removing what is absent succeeds", adding + "removing what is absent is ErrNotRegistered", func(a *altered) {
			a.unregister = func(ctx context.Context, name string) error {
				if err := a.Fake.Unregister(ctx, name); !errors.Is(err, servicemanager.ErrNotRegistered) {
					return err
				}
				return nil
			}
		}},
		{"names are in disorder", adding + "names are listed in order", func(a *altered) {
			a.list = func(ctx context.Context) ([]string, error) {
				names, err := a.Fake.List(ctx)
				for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
					names[i], names[j] = names[j], names[i]
				}
				return names, err
			}
		}},
		{"support is claimed", "contract/capabilities/a supported capability has its interface and works", func(a *altered) {
			a.supports = func(c servicemanager.Capability) bool { return c <= servicemanager.CapSurvey && c > 0 }
		}},
		{"support is denied", "contract/capabilities/a capability that is not supported is missing or says so", func(a *altered) {
			a.supports = func(c servicemanager.Capability) bool { return c == servicemanager.CapRegister }
		}},
	}
}
