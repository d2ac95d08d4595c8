package role

import (
	"strings"
	"testing"
)

func TestRoles(t *testing.T) {
	for line, want := range map[string]Role{
		"hermes-gateway":                            Command,
		"hermes-gateway status":                     Command,
		"hermes-gateway init -- tini":               Init,
		"/usr/bin/hermes-gateway svscan":            Svscan,
		"hermes-gateway log-pool":                   LogPool,
		"hermes-gateway log T .":                    Log,
		"hermes-gateway exec-gateway --user x true": ExecGateway,
		"hermes-gateway exec-listening /bin/x x":    ExecListening,
		"hermes-gateway exec-words ./run":           ExecWords,
		"hermes-gateway main gateway run":           Main,
		"/init svscan":                              PastInit,
		"init":                                      PastInit,
		"/sbin/tini -s -- init":                     Tini,
		"tini-static":                               Tini,
		"/command/with-contenv sh":                  WithContenv,
		"s6-setuidgid daemon init":                  SetUIDGID,
		"/usr/bin/s6-applyuidgid -u 5":              ApplyUIDGID,
		"/init/ svscan":                             Svscan, // a directory of that name
		"":                                          Command,
	} {
		if got := Of(strings.Fields(line), 7); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}

// Row 72: only PID 1, and only what lasts.
func TestRow72RolesOfPID1(t *testing.T) {
	for line, want := range map[string]Role{
		"hermes-gateway run coder":                  Beneath,
		"hermes-gateway --home /x run coder":        Beneath,
		"hermes-gateway status --watch":             Beneath,
		"hermes-gateway logs -f web":                Beneath,
		"hermes-gateway wait web --for up":          Beneath,
		"hermes-gateway log T .":                    Beneath,
		"hermes-gateway exec-gateway --user x true": Beneath,
		"hermes-gateway main":                       Beneath,
		"hermes-gateway status web":                 Command,
		"hermes-gateway register web -- run":        Command,
		"hermes-gateway version":                    Command,
		"hermes-gateway svscan":                     Svscan,
		"hermes-gateway init -- run":                Init,
		"/init run":                                 PastInit,
	} {
		if got := Of(strings.Fields(line), 1); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}
