// Package systemd is the backend for Linux machines that systemd supervises,
// for the units of a user and for those of the machine.
//
// This version has detection only; Open answers ErrNotSupported.
package systemd
