// Package smtest holds what tests of service managers need: [Run], the
// conformance suite that every backend passes; [Program], small scripted
// services that live inside the test binary; and [Fake], an in-memory manager
// that behaves as the contract says and can be made to misbehave.
//
// # A backend's test
//
//	func TestMain(m *testing.M) {
//		smtest.Main() // runs a scripted service and exits, if this process is one
//		os.Exit(m.Run())
//	}
//
//	func TestConformance(t *testing.T) { // not parallel: it counts goroutines and files
//		smtest.Run(t, func(t *testing.T) smtest.Subject {
//			return smtest.Subject{Manager: open(t)}
//		})
//	}
//
// The package needs the standard library only, and no shell.
package smtest
