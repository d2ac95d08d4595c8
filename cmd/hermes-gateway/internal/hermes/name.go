package hermes

import (
	"strings"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// slotPrefix makes the name of a profile's service under s6.
const slotPrefix = "gateway-"

// ServiceName is the name of a service as its manager knows it. It is a type
// of its own so that a profile's name is never passed for a service's, or the
// other way round. The zero value means no service.
type ServiceName struct{ s string }

// ParseServiceName accepts what servicemanager.ValidName accepts.
func ParseServiceName(s string) (ServiceName, error) {
	if err := servicemanager.CheckName(s); err != nil {
		return ServiceName{}, err
	}
	return ServiceName{s}, nil
}

// Reported takes a name that a manager reported as it is: others than this
// program name services too, by rules of their own.
func Reported(name string) ServiceName { return ServiceName{name} }

// String returns the manager's name of the service.
func (s ServiceName) String() string { return s.s }

// Service returns the name of the profile's service under s6.
func (p ProfileName) Service() ServiceName { return ServiceName{slotPrefix + p.s} }

// Profile returns the profile whose service this is under s6. ok is false for
// every other service, also for one that only begins like a profile's.
func (s ServiceName) Profile() (p ProfileName, ok bool) {
	rest, ok := strings.CutPrefix(s.s, slotPrefix)
	if !ok {
		return ProfileName{}, false
	}
	p, err := ParseProfileName(rest, MaxLongProfileLen)
	return p, err == nil
}

// ProfileOf returns the profile whose service this is on a manager of the
// given kind. Only under s6 the name tells; elsewhere it is never guessed.
func ProfileOf(kind servicemanager.Kind, s ServiceName) ProfileName {
	if kind != servicemanager.KindS6 {
		return ProfileName{}
	}
	p, _ := s.Profile()
	return p
}
