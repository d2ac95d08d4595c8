package container

import "strings"

func (b *box) state(name string) state {
	b.t.Helper()
	st, r := b.look(name)
	if st == nil {
		b.t.Fatalf("status of %s: %+v", name, r)
	}
	return *st
}

// reaches waits until a service is in a state: from out here that has no event.
func (b *box) reaches(name, want string) {
	b.t.Helper()
	b.until(name, func() bool { st, _ := b.look(name); return st != nil && st.State == want })
}

// logs waits until the log of a service has a text.
func (b *box) logs(name, text string) {
	b.t.Helper()
	b.until(name, func() bool { return strings.Contains(b.gateway("logs", name), text) })
}

// profile makes one, and says what its gateway does.
func (b *box) profile(name string, asked ...string) {
	b.t.Helper()
	b.do("sh", "-c", `cd /opt/data && mkdir -p profiles/$0 && cd profiles/$0 && touch SOUL.md && printf '%s\n' "$@" >standin`, name, strings.Join(asked, "\n"))
}
