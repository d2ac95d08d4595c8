package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// printTable prints the services, what those need that are not plainly up, and
// the manager.
func (a *app) printTable(o *overview, explain bool) {
	if len(o.sightings) > 0 {
		a.writeRows(a.out, o.sightings, explain)
	}
	fmt.Fprintln(a.out, a.lastLine(o))
	if o.conn.absent() {
		fmt.Fprintln(a.out, "  "+oneLine(o.conn.chosen.Probe.Reason))
	}
}

func (a *app) writeRows(w io.Writer, sightings []sighting, explain bool) {
	rows := [][]string{{"NAME", "STATE", "READY", "PID", "UPTIME", "RESTARTS", "LAST EXIT", "WANTED"}}
	for _, s := range sightings {
		rows = append(rows, a.cells(s))
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for i, r := range rows {
		var line strings.Builder
		for j, c := range r {
			line.WriteString(c + strings.Repeat(" ", widths[j]-utf8.RuneCountInString(c)+2))
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
		if i == 0 {
			continue
		}
		if why := a.explanation(sightings[i-1], explain); why != "" {
			fmt.Fprintln(w, "  "+oneLine(why))
		}
	}
}

func (a *app) cells(s sighting) []string {
	const none = "-"
	st := s.status
	if st == nil {
		return []string{oneLine(s.target.String()), servicemanager.StateUnknown.String(), none, none, none, none, none, none}
	}
	ready, pid, uptime, last := "no", none, none, none
	if st.Ready {
		ready = "yes"
	}
	if st.State == servicemanager.StateUnknown || st.PID <= 0 {
		ready = none
	}
	if st.PID > 0 {
		pid = strconv.Itoa(st.PID)
	}
	if d, ok := a.uptime(st); ok {
		uptime = age(d)
	}
	if st.LastExit != nil {
		last = exitCell(*st.LastExit)
	}
	return []string{oneLine(s.target.String()), st.State.String(), ready, pid, uptime, strconv.Itoa(st.Restarts), last, wantedOf(st)}
}

// exitCell is short where a table is narrow: "exit 3", "SIGKILL".
func exitCell(e servicemanager.Exit) string {
	if e.Signal != 0 {
		return servicemanager.SignalName(e.Signal)
	}
	return "exit " + strconv.Itoa(e.Code)
}

// age is a duration in its two largest units: "12s", "3m4s", "5h6m", "7d8h".
func age(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%dm", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%dd%dh", s/86400, s%86400/3600)
	}
}

func (a *app) lastLine(o *overview) string {
	f := o.conn.chosen
	line := "Manager: " + detailOf(f)
	if f.Probe.ScanDir != "" {
		line += ", scan directory " + oneLine(f.Probe.ScanDir)
	}
	if scope := a.scopeOf(f.Kind); scope != nil {
		line += ", scope " + *scope
	}
	line += ", host " + oneLine(a.proc.Host) + "; "
	needing := len(o.failures)
	for _, s := range o.sightings {
		if s.needsAttention() {
			needing++
		}
	}
	total := len(o.sightings) + len(o.failures)
	switch {
	case total == 0:
		return line + "no services"
	case needing == 0 && total == 1:
		return line + "1 service, which needs no attention"
	case needing == 0:
		return line + fmt.Sprintf("%d services, none needs attention", total)
	case needing == 1:
		return line + fmt.Sprintf("1 of %d needs attention", total)
	default:
		return line + fmt.Sprintf("%d of %d need attention", needing, total)
	}
}

// needsAttention says whether somebody should look at the service: what passes
// by itself and what was asked for needs none.
func (s sighting) needsAttention() bool {
	st := s.status
	if st == nil || st.Problem != "" || st.Paused {
		return true
	}
	code := s.exit()
	return code == statusFailed || code == statusUnknown || st.State == servicemanager.StateDown && st.WantUp
}
