// Package launchd is the backend for macOS. It builds everywhere; on other
// systems its probe answers FitNone.
//
// This version has detection only; Open answers ErrNotSupported.
package launchd
