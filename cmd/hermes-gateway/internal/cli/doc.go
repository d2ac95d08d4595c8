// Package cli is the command people type. Run is the whole of it: arguments
// in, text and an exit code out, so that tests run the command in-process.
//
// One file is one command. What they share: app (settings and the manager),
// targets (what the typed names mean), acts (doing one thing to many services
// at once), report (how results and errors are printed), exit (exit codes).
package cli
