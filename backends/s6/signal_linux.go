package s6

import (
	"context"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Signal has the supervisor send the signals it knows, which needs only the
// right to command it. Any other is sent to the process itself, through a
// descriptor of that very process.
func (m *manager) Signal(ctx context.Context, name string, sig syscall.Signal) error {
	return m.onService(ctx, "signal", name, func(ctx context.Context, s *service) error {
		if err := m.mayWrite(false); err != nil {
			return err
		}
		if sig < 1 || sig > 64 {
			return &sm.SpecError{Field: "Signal", Value: fmt.Sprint(int(sig)), Reason: "is not a signal number"}
		}
		held, err := s.supervised()
		if err != nil {
			return err
		}
		if !held {
			return control.ErrNobody
		}
		st, err := s.status(ctx)
		if err != nil {
			return err
		}
		if st.State == sm.StateUnknown {
			return fmt.Errorf("%w as far as can be told: %s", sm.ErrNotRunning, st.Problem)
		}
		if !st.Running() {
			return fmt.Errorf("%w: it is %v", sm.ErrNotRunning, st.State)
		}
		if b, ok := control.SignalByte(sig); ok {
			return s.send(ctx, string(b))
		}
		return s.signalProcess(ctx, st.PID, sig)
	})
}

func (s *service) signalProcess(ctx context.Context, pid int, sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("%w: pid %d: %w", sm.ErrNotRunning, pid, err)
	}
	defer unix.Close(fd)
	// The descriptor means one process for good; it is the service's only if
	// the supervisor still says so.
	if st, err := s.status(ctx); err != nil || st.PID != pid {
		return fmt.Errorf("%w: its process ended meanwhile", sm.ErrNotRunning)
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil {
		return fmt.Errorf("send %s to pid %d: %w", sm.SignalName(sig), pid, err)
	}
	return nil
}
