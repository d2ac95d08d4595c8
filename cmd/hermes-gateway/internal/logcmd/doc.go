// Package logcmd is the role "hermes-gateway log": a logger for one service,
// that takes the place of s6-log in scripts. It reads standard input and
// carries out the directives of package logdir.
package logcmd
