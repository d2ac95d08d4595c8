// Package foreground is the backend for machines without a supervisor: the
// calling program supervises its services itself, as long as it lives.
//
// This version has detection only; Open answers ErrNotSupported.
package foreground
