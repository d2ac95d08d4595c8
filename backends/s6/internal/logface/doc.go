// Package logface makes a pooled log look like a logger that is supervised: it
// serves log/supervise and log/event as a supervisor of NAME/log would, so that
// s6's tools work on it. The process they see is the log process of the tree.
//
//	a          rotates
//	d t o x    drain the pipe and close the log; x gives up the directory as well
//	u          opens it again
//	p c        stop and resume reading
//	D U        are d and u, and make and remove the file down
//
// Other commands are ignored: there is no process of this log alone that they
// could be for. The death of the log process is that of the logger (dD, and an
// entry in the death tally), its start is a start (u), and once it reads from the
// pipe the logger is ready (U).
package logface
