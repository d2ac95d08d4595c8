// Package svscan is a supervision tree in Go that takes the place of s6-svscan
// and s6-supervise: it supervises every service directory of a scan directory,
// and its scan directory, FIFOs, locks, status files and events are s6's, so
// that s6's own tools (s6-svc, s6-svstat, s6-svwait, s6-svscanctl and the
// others) drive it unchanged. It needs Linux 5.4, no privilege, and no program
// but the services' own.
//
// # Use
//
//	tree, err := svscan.New(svscan.Options{Dir: "/run/user/1000/service"})
//	if err != nil { ... }
//	err = tree.Run(ctx) // until ctx ends or a command of s6-svscanctl ends it
//
// # What is where
//
//   - tree_linux.go: New, Run, and the one goroutine that decides.
//   - command_linux.go: the bytes of .s6-svscan/control.
//   - scan_linux.go, entry_linux.go: the scan directory against what is supervised.
//   - supervisor_linux.go: the goroutine of one service; the engine is internal/supervise.
//   - logger_linux.go: pipes to loggers, and the pooled log process.
//   - rights_linux.go: what a tree refuses to run.
//
// # Crash only
//
// All that a tree must know after its death is in the scan directory. When it
// is killed its services live on; the next one adopts them. A panic in the
// supervision of one service stays there: the service shows the failure, and
// its supervision begins anew from disk.
//
// # What differs from s6-svscan 2.15.1
//
// See docs/s6-protocol.md.
package svscan
