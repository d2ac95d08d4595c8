package cli

import "github.com/hermes-gateway/hermes-gateway/servicemanager"

// statusDocument is what status --json prints, whatever was found.
type statusDocument struct {
	Schema   int            `json:"schema"`
	Manager  *managerRow    `json:"manager"`
	Managers []consultedRow `json:"managers"`
	Services []serviceRow   `json:"services"`
	Errors   []errorRow     `json:"errors"`
}

func (a *app) statusDocument(o *overview) statusDocument {
	doc := statusDocument{Schema: schema, Managers: []consultedRow{}, Services: []serviceRow{}, Errors: []errorRow{}}
	switch {
	case o.conn != nil:
		doc.Manager = a.managerRow(o.conn.chosen)
		consulted := a.consultedRow(o.conn.chosen, nil)
		if o.conn.absent() {
			consulted.Error = &consulted.Reason
		}
		doc.Managers = append(doc.Managers, consulted)
	case a.tried.Kind != "":
		doc.Managers = append(doc.Managers, a.consultedRow(a.tried, o.failures[0].err))
	}
	for _, s := range o.sightings {
		row := a.serviceRow(o.conn, s.target, s.status)
		if s.err != nil {
			f := failure{op: "status", name: s.target.String(), service: s.target.Service.String(), err: s.err}
			reason, _ := f.text()
			row.Problem = orNull(reason)
			doc.Errors = append(doc.Errors, f.row())
		}
		doc.Services = append(doc.Services, row)
	}
	for _, f := range o.failures {
		doc.Errors = append(doc.Errors, f.row())
	}
	return doc
}

// wantedOf is the word for what is wanted, "-" where it is not known.
func wantedOf(st *servicemanager.Status) string {
	if st == nil || st.State == servicemanager.StateUnknown {
		return "-"
	}
	return wantedWord(st)
}
