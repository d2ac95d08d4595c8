package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// explanation is the second line of a service: reason and next command. It is
// empty for one that is plainly up, unless everything is to be explained.
func (a *app) explanation(s sighting, explain bool) string {
	if s.status == nil {
		reason, remedy := failure{op: "status", name: s.target.String(), err: s.err}.text()
		return joined(reason, remedy)
	}
	reason, next := a.reason(s)
	if reason == "" && explain {
		reason = a.whyUp(s.status)
	} else if explain && s.status.State != servicemanager.StateUnknown {
		reason += a.history(s.status)
	}
	return joined(reason, next)
}

func joined(reason, next string) string {
	if next == "" {
		return reason
	}
	return reason + "; " + next
}

// reason says why a service is not plainly up, and what to type.
func (a *app) reason(s sighting) (reason, next string) {
	st, t := s.status, s.target
	start := "start it: " + a.commandOn(t, "start")
	logs := "see why: " + a.commandOn(t, "logs", "-n", "20")
	switch st.State {
	case servicemanager.StateUp:
		return a.upReason(s)
	case servicemanager.StateDown:
		return orText(st.Problem, a.downReason(st)), start
	case servicemanager.StateStarting:
		if st.PID > 0 {
			return orText(st.Problem, "the process has not said yet that it is ready"), "wait for it: " + a.commandOn(t, "wait", "--for", "ready")
		}
		return orText(st.Problem, "about to be started"+lastWords(st)), logs
	case servicemanager.StateStopping:
		return orText(st.Problem, "asked to stop, the process is still there"), "wait for it: " + a.commandOn(t, "wait", "--for", "down")
	case servicemanager.StateFinishing:
		return orText(st.Problem, "the process is gone, its cleanup runs"+lastWords(st)), "wait for it: " + a.commandOn(t, "wait", "--for", "finished")
	case servicemanager.StateBackoff:
		return orText(st.Problem, "died, and waits to be started again") + lastWords(st), logs
	case servicemanager.StateFailed:
		return orText(st.Problem, "failed, and is not started again") + lastWords(st), logs + ", then " + start
	default:
		return orText(st.Problem, "the state cannot be told"), "see whether the tree lives: " + program + " detect"
	}
}

func (a *app) upReason(s sighting) (reason, next string) {
	st := s.status
	switch {
	case st.Paused:
		return orText(st.Problem, "paused"), fmt.Sprintf("let it go on: kill -CONT %d", st.PID)
	case st.Problem != "":
		return st.Problem, ""
	case !st.WantUp:
		return "up, but wanted down", "stop it: " + a.commandOn(s.target, "stop")
	}
	return "", ""
}

func (a *app) downReason(st *servicemanager.Status) string {
	switch {
	case st.WantUp:
		return "down although it is wanted up" + a.sinceWords(st) + lastWords(st)
	case st.LastExit == nil:
		return "wanted down" + a.sinceWords(st) + ", not started so far"
	default:
		return "wanted down" + a.sinceWords(st) + lastWords(st)
	}
}

// whyUp explains a service that needs no explanation.
func (a *app) whyUp(st *servicemanager.Status) string {
	why := "up" + a.sinceWords(st) + " because it is wanted up"
	if !st.Enabled {
		why += ", but it does not come up by itself when the manager starts"
	}
	return why + a.history(st)
}

// history is what a service has been through.
func (a *app) history(st *servicemanager.Status) string {
	var parts []string
	if st.Restarts > 0 {
		parts = append(parts, fmt.Sprintf("died unasked: %d", st.Restarts))
	}
	if st.Adopted {
		parts = append(parts, "the process outlived a supervisor")
	}
	if e := st.LastExit; e != nil {
		last := "the last process ended with " + e.String()
		if !e.At.IsZero() {
			last += " at " + *stamp(e.At)
		}
		parts = append(parts, last)
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, "; ")
}

func (a *app) sinceWords(st *servicemanager.Status) string {
	if st.Since.IsZero() {
		return ""
	}
	return fmt.Sprintf(" for %s", age(max(0, a.proc.Now().Sub(st.Since).Truncate(time.Second))))
}

func lastWords(st *servicemanager.Status) string {
	if st.LastExit == nil {
		return ""
	}
	return ", last " + st.LastExit.String()
}

func orText(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// explainManager prints why this manager is used.
func (a *app) explainManager(ctx context.Context, s *connection) {
	opts := a.options()
	opts.Kind = "auto"
	a.explainChoice(servicemanager.Survey(ctx, opts), s.chosen, true)
	if a.proc.Zombies != nil {
		for _, line := range a.proc.Zombies() {
			fmt.Fprintln(a.out, line)
		}
	}
	fmt.Fprintln(a.out)
}
