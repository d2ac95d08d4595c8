package svscan

import "github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool"

// LogMain is the log process: a program that runs a Tree with a LogCommand calls
// it where it is started by that command, and exits with what it returns. args
// are the words after those of the command.
func LogMain(args []string) int { return logpool.Main(args) }
