// Package supervise is the engine that keeps one service running: a pure table
// of states and events, and one goroutine that executes it over ports. It
// speaks s6: same commands, same events, same record as s6-supervise 2.15.1
// (s6 src/supervision/s6-supervise.c), without that version's bugs.
//
// # Parts
//
//   - The table (table.go, machine.go): what each event means in each state. It
//     knows no clock, no file and no process; docs/supervise-states.md is
//     generated from it.
//   - [Service]: the goroutine that feeds the table and does what it says.
//   - The ports (ports.go): files of the service directory, processes, records
//     and events, survivors of an earlier supervisor, log. Whoever owns a
//     service implements them: a supervision tree on disk, a program in memory.
//   - [Instance]: the line by which a new supervisor finds what a killed one
//     left running.
//
// # Use
//
//	s := supervise.New(supervise.Config{Name: "web", Files: ..., Processes: ..., Store: ..., Survivors: ...})
//	go func() { done <- s.Run(ctx) }()
//	s.Control([]byte("d"))          // as if written to supervise/control
//	s.Signal(supervise.Terminate)   // as if sent to s6-supervise
//
// # What differs from s6-supervise, on purpose
//
//   - The command Q works (2.15.1 ignores it).
//   - A start is never tried after the command x took effect.
//   - Between d and u a finish that exits 125 does not keep the service down:
//     the death was asked for, and so was the return.
//   - Where the file backoff exists (two numbers, milliseconds: base and cap),
//     deaths that nobody asked for are followed by a pause that doubles from
//     base to cap and is base again after 60 s up. It is a state of its own.
//   - A process that outlived an earlier supervisor is adopted or ended, never
//     doubled.
//   - The files lock-fd and flag-newpidns are refused with a warning: a service
//     that has one is not started.
//
// # Cost
//
// An idle service is one parked goroutine and a good kilobyte of state
// (BenchmarkIdleService); no timer runs and nothing wakes up.
package supervise
