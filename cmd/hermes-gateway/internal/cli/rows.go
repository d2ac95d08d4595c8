package cli

import (
	"time"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// schema is the version of all JSON documents. Within one version keys are
// only added.
const schema = 1

// managerRow is a service manager in JSON.
type managerRow struct {
	Kind    string  `json:"kind"`
	Detail  string  `json:"detail"`
	Scope   *string `json:"scope"`
	ScanDir *string `json:"scandir"`
	Reason  string  `json:"reason"`
}

// consultedRow is a service manager that a command asked, in JSON.
type consultedRow struct {
	Kind   string  `json:"kind"`
	Scope  *string `json:"scope"`
	Detail string  `json:"detail"`
	Reason string  `json:"reason"`
	Error  *string `json:"error"`
}

// identity says which service a row is about.
type identity struct {
	Name    string  `json:"name"`
	Service string  `json:"service"`
	Profile *string `json:"profile"`
	Manager string  `json:"manager"`
	Scope   *string `json:"scope"`
}

// serviceRow is a service in JSON. All keys are always there; null is unknown.
type serviceRow struct {
	identity
	State    string   `json:"state"`
	Ready    *bool    `json:"ready"`
	Wanted   *string  `json:"wanted"`
	Enabled  *bool    `json:"enabled"`
	PID      *int     `json:"pid"`
	Since    *string  `json:"since"`
	Uptime   *float64 `json:"uptime_seconds"`
	Restarts *int     `json:"restarts"`
	Paused   *bool    `json:"paused"`
	Adopted  *bool    `json:"adopted"`
	LastExit *exitRow `json:"last_exit"`
	Problem  *string  `json:"problem"`
}

// exitRow is the end of a process in JSON: a code or a signal, never both.
type exitRow struct {
	Code   *int    `json:"code"`
	Signal *string `json:"signal"`
	At     *string `json:"at"`
}

// scopeOf is null where a manager has no scopes.
func (a *app) scopeOf(kind servicemanager.Kind) *string {
	if kind == servicemanager.KindS6 || kind == servicemanager.KindForeground {
		return nil
	}
	return orNull(a.options().Scope.String())
}

func (a *app) managerRow(f servicemanager.Finding) *managerRow {
	return &managerRow{
		Kind: string(f.Kind), Detail: detailOf(f), Scope: a.scopeOf(f.Kind),
		ScanDir: orNull(f.Probe.ScanDir), Reason: f.Probe.Reason,
	}
}

func (a *app) consultedRow(f servicemanager.Finding, err error) consultedRow {
	r := consultedRow{Kind: string(f.Kind), Scope: a.scopeOf(f.Kind), Detail: detailOf(f), Reason: f.Probe.Reason}
	if err != nil {
		r.Error = orNull(oneLine(err.Error()))
	}
	return r
}

func (a *app) identity(s *connection, t hermes.Target) identity {
	return identity{
		Name: t.String(), Service: t.Service.String(), Profile: orNull(t.Profile.String()),
		Manager: string(s.kind()), Scope: a.scopeOf(s.kind()),
	}
}

// serviceRow makes the row of a service; st is nil where nothing is known.
func (a *app) serviceRow(s *connection, t hermes.Target, st *servicemanager.Status) serviceRow {
	row := serviceRow{identity: a.identity(s, t), State: servicemanager.StateUnknown.String()}
	if st == nil {
		return row
	}
	row.State = st.State.String()
	row.Problem = orNull(oneLine(st.Problem))
	row.Since = stamp(st.Since)
	row.Restarts, row.Enabled = &st.Restarts, &st.Enabled
	if st.State != servicemanager.StateUnknown {
		row.Wanted, row.Ready = orNull(wantedWord(st)), &st.Ready
		row.Paused, row.Adopted = &st.Paused, &st.Adopted
	}
	if st.PID > 0 {
		row.PID = &st.PID
	}
	if up, ok := a.uptime(st); ok {
		seconds := float64(up.Milliseconds()) / 1000
		row.Uptime = &seconds
	}
	if e := st.LastExit; e != nil {
		row.LastExit = &exitRow{At: stamp(e.At)}
		if e.Signal != 0 {
			row.LastExit.Signal = orNull(servicemanager.SignalName(e.Signal))
		} else {
			row.LastExit.Code = &e.Code
		}
	}
	return row
}

func wantedWord(st *servicemanager.Status) string {
	if st.WantUp {
		return "up"
	}
	return "down"
}

// uptime is how long the process has been there.
func (a *app) uptime(st *servicemanager.Status) (time.Duration, bool) {
	if st.PID <= 0 || st.Since.IsZero() {
		return 0, false
	}
	return max(0, a.proc.Now().Sub(st.Since)), true
}

// stamp is RFC 3339 with milliseconds, in UTC; null for the zero time.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05.000Z")
	return &s
}

// actDocument is what a verb prints with --json when all went well.
func (a *app) actDocument(s *connection, v verb, good []outcome) any {
	type actRow struct {
		serviceRow
		Did string `json:"did"`
	}
	rows := make([]actRow, 0, len(good))
	for _, o := range good {
		rows = append(rows, actRow{a.serviceRow(s, o.target, o.status), o.did})
	}
	return struct {
		Schema   int         `json:"schema"`
		Op       string      `json:"op"`
		Manager  *managerRow `json:"manager"`
		Services []actRow    `json:"services"`
		Errors   []errorRow  `json:"errors"`
	}{schema, v.op, a.managerRow(s.chosen), rows, []errorRow{}}
}
