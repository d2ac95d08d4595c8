// Package pool is the tree's side of the log process: it starts the process
// before the first log needs it, starts it again when it dies, and tells it what
// to do. The process itself is package logpool.
//
// Nothing is passed to the process but names, so its death loses nothing: what
// services write meanwhile waits in their pipes, and the next process is told
// all over again.
package pool
