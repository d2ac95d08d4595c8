package hermes

import "github.com/hermes-gateway/hermes-gateway/servicemanager"

// exitConfig is the exit code with which a gateway says that its configuration
// must be changed before it can run (EX_CONFIG of sysexits.h).
const exitConfig = 78

// GatewaySpec describes the service of a profile's gateway: it runs argv in
// the profile's directory, is left alone after it exited 0, and has failed
// after the exit code 78. The variables tell it the root home, and that it is
// supervised already.
func GatewaySpec(home Home, p ProfileName, argv []string) servicemanager.Spec {
	return servicemanager.Spec{
		Name:        p.Service().s,
		Description: "Hermes gateway of the profile " + p.s,
		Command:     argv,
		Dir:         home.Of(p),
		Env: map[string]string{
			"HERMES_HOME":                home.Dir(),
			"HERMES_SUPERVISED_CHILD":    "1",
			"HERMES_S6_SUPERVISED_CHILD": "1",
		},
		Down:           true,
		Restart:        servicemanager.RestartOnFailure,
		FatalExitCodes: []int{exitConfig},
		Log:            servicemanager.LogSpec{Dir: home.GatewayLogs(p)},
	}
}
