package container

import "testing"

// Where docker makes the containers of the other tests, runc makes some too: it is
// the way that must work where no docker engine is.
func TestOnRunc(t *testing.T) {
	if c := chosen(); c.engine == theRunc {
		return // all of them were
	}
	c := choice{theRunc, runcProblem()}
	for name, do := range map[string]func(rig){
		"program": programIsUntouched, "exit codes": exitCodes, "orphans": orphans, "without any right": withoutAnyRight,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(on(t, c, initImage))
		})
	}
	t.Run("compose", func(t *testing.T) {
		t.Parallel()
		compose(hermesOn(t, c))
	})
}
