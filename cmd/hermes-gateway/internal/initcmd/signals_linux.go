package initcmd

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// rtmin and rtmax are what programs other than C libraries themselves can use.
const (
	rtmin = 34
	rtmax = 64
)

// parseSignal reads what servicemanager.ParseSignal does, and RTMIN+3 and its like.
func parseSignal(text string) (syscall.Signal, error) {
	if sig, ok := servicemanager.ParseSignal(text); ok {
		return sig, nil
	}
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if n, ok := realtime(name, "RTMIN+"); ok {
		return rtmin + n, nil
	}
	if n, ok := realtime(name, "RTMAX-"); ok {
		return rtmax - n, nil
	}
	if sig := unix.SignalNum("SIG" + name); sig != 0 { // PWR and others that only Linux has
		return sig, nil
	}
	return 0, fmt.Errorf("%q is no signal", text)
}

func realtime(name, prefix string) (syscall.Signal, bool) {
	text, ok := strings.CutPrefix(name, prefix)
	n, err := strconv.ParseUint(text, 10, 8)
	return syscall.Signal(n), ok && err == nil && n <= rtmax-rtmin
}

func addStopSignal(o *options, text string) error {
	sig, err := parseSignal(text)
	if err != nil {
		return err
	}
	if sig == rtmin {
		return fmt.Errorf("%s is one that this program cannot see; take RTMIN+1 or higher", text)
	}
	o.stopSignals = append(o.stopSignals, sig)
	return nil
}

func addRewrite(o *options, text string) error {
	from, to, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is not FROM=TO, two signals, or none for the second", text)
	}
	a, err := parseSignal(from)
	if err != nil {
		return err
	}
	var b syscall.Signal
	if !strings.EqualFold(to, "none") {
		if b, err = parseSignal(to); err != nil {
			return err
		}
	}
	if o.rewrite == nil {
		o.rewrite = map[syscall.Signal]syscall.Signal{}
	}
	o.rewrite[a] = b
	return nil
}
