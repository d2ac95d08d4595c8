package servicemanager

import (
	"strconv"
	"strings"
	"syscall"
)

func itoa(n int) string { return strconv.Itoa(n) }

// SignalName returns the name of a signal as kill -l spells it, with the SIG
// prefix ("SIGTERM"), and SIG with its number for one that has no portable name
// here ("SIG63").
func SignalName(sig syscall.Signal) string {
	for _, s := range signalNames {
		if s.sig == sig {
			return "SIG" + s.name
		}
	}
	return "SIG" + itoa(int(sig))
}

// ParseSignal is the reverse of SignalName: a name in any case or a decimal
// number from 1 to 64, with or without SIG.
func ParseSignal(s string) (syscall.Signal, bool) {
	word := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if n, err := strconv.Atoi(word); err == nil {
		return syscall.Signal(n), n >= 1 && n <= 64
	}
	for _, e := range signalNames {
		if e.name == word {
			return e.sig, true
		}
	}
	return 0, false
}

type signalName struct {
	name string
	sig  syscall.Signal
}
