// Package logpool is the log process: it writes the logs of all services of a
// tree. The tree's side of it is package pool.
//
// A service writes into a FIFO, log/supervise/input, that it holds open for
// reading itself: whoever is dead, a full FIFO makes it wait and never breaks.
// The process copies what is there with tee(2), writes it, and takes out exactly
// what it has written. So it can be killed at any instant: nothing is lost, and
// what it had written and not taken out, one batch of at most 64 KiB, is written
// once more. A batch ends with a line where it can.
//
// The beginning of a line is written and taken out at once, and whoever comes
// next goes on in that line. Only directives that select lines, and those for
// status files and alerts, have to see lines whole: the beginning of one is in
// memory then, and is lost if the process is killed.
//
// Each log has a goroutine, and memory only while it has work, so that a volume
// that hangs or is full keeps up its own services and no others.
//
// log/directives holds one directive of s6-log a line, verbatim. A directory may
// begin with ${NAME}/, which is replaced from the environment, or be relative to
// the directory log. Directories above it are made where they are missing.
// Directive 1 writes to descriptor 3, if there is LinesFlag, with the lines of all
// such logs, each whole.
package logpool
