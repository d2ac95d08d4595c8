package servicemanager

// Capability is something a manager may be able to do beyond the core. Each
// stands for one optional interface, CapRegister for Registrar.
type Capability int

// The capabilities, each with the interface it stands for.
const (
	CapRegister Capability = iota + 1 // Registrar
	CapInstall                        // Installer
	CapWait                           // Waiter
	CapWatch                          // Watcher
	CapLogs                           // LogReader
	CapSignal                         // Signaler
	CapSurvey                         // Surveyor
)

// Capabilities returns every capability, in a fixed order.
func Capabilities() []Capability {
	return []Capability{CapRegister, CapInstall, CapWait, CapWatch, CapLogs, CapSignal, CapSurvey}
}

// String returns the word used in messages.
func (c Capability) String() string {
	switch c {
	case CapRegister:
		return "register"
	case CapInstall:
		return "install"
	case CapWait:
		return "wait"
	case CapWatch:
		return "watch"
	case CapLogs:
		return "logs"
	case CapSignal:
		return "signal"
	case CapSurvey:
		return "survey"
	default:
		return "unknown capability"
	}
}

// As finds the optional interface T in m, following Unwrap() ServiceManager
// through wrappers (tracing, dry-run) that would otherwise hide it. The first
// layer that has it wins.
func As[T any](m ServiceManager) (T, bool) {
	for m != nil {
		if t, ok := m.(T); ok {
			return t, true
		}
		u, ok := m.(interface{ Unwrap() ServiceManager })
		if !ok {
			break
		}
		m = u.Unwrap()
	}
	var none T
	return none, false
}
