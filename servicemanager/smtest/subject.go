package smtest

import (
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Subject is a service manager under test and what the suite must know about
// it. Only Manager is required.
type Subject struct {
	// Manager is the manager. Every call of the suite's open function must
	// return one of its own, as the suite closes it; the services behind it
	// may be shared, the suite uses a name only once.
	Manager servicemanager.ServiceManager

	// Reopen opens another manager on the same services. nil where services
	// belong to one manager. The suite closes what it returns.
	Reopen func(t *testing.T) servicemanager.ServiceManager

	// Kill sends a signal to a service's process from outside, behind the
	// manager's back. Default: kill(2).
	Kill func(pid int, sig syscall.Signal) error

	// Dir is an absolute path of a directory in which services can make files,
	// for logs and reports. Default: a temporary directory that everybody may
	// write.
	Dir string

	// Refuses lists the Spec fields that the manager cannot honour. The suite
	// checks that these, and no others, are answered with a *SpecError. Two
	// words stand for less than a field: "Env bytes" and "Command bytes" for
	// values that are not UTF-8.
	Refuses []string

	// Patience bounds every wait of the suite; it is no pace, a good manager
	// never reaches it. Default: 60 s.
	Patience time.Duration

	// Fake says that no real processes exist, so that nothing can be said
	// about what a process was given.
	Fake bool
}
