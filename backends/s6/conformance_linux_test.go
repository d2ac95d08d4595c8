package s6

import (
	"context"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

// The contract of package servicemanager on a real tree of s6 and on ours; the
// harness runs it as root and once more as an unprivileged user.
func TestConformance(t *testing.T) {
	t.Run("s6", func(t *testing.T) {
		tr := s6test.Start(t)
		s6Only(t, tr, "that is the next test")
		conform(t, tr, "RestartDelay", "RestartMaxDelay")
	})
	t.Run("own", func(t *testing.T) { conform(t, s6test.Start(t, s6test.Own())) })
}

func conform(t *testing.T, tr *s6test.Tree, refuses ...string) {
	open := func(t *testing.T) sm.ServiceManager {
		m, err := Backend().Open(context.Background(), sm.Options{ScanDir: tr.ScanDir})
		must(t, err)
		return m
	}
	smtest.Run(t, func(t *testing.T) smtest.Subject {
		return smtest.Subject{
			Manager: open(t),
			Reopen:  open,
			Dir:     s6test.Dir(t, tr.UID()),
			Refuses: append([]string{"After", "Boot"}, refuses...),
		}
	})
}
