//go:build !linux

package svscan

import (
	"context"
	"fmt"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Tree supervises a scan directory. On this system there is none.
type Tree struct{}

// New returns an error that matches servicemanager.ErrNotSupported.
func New(Options) (*Tree, error) {
	return nil, fmt.Errorf("%w: the supervision tree needs Linux; use launchd (hermes-gateway install) or the foreground (hermes-gateway run)", servicemanager.ErrNotSupported)
}

// Close does nothing.
func (*Tree) Close() error { return nil }

// Control does nothing.
func (*Tree) Control(string) {}

// Run returns nil.
func (*Tree) Run(context.Context) error { return nil }

// CheckRC returns an error that matches servicemanager.ErrNotSupported.
func CheckRC(string, []string, string, bool) error {
	_, err := New(Options{})
	return err
}

// ExecFinish returns nil.
func ExecFinish(string, []string) error { return nil }

// DefaultDir returns an error that matches servicemanager.ErrNotSupported.
func DefaultDir() (string, error) {
	_, err := New(Options{})
	return "", err
}

// LogMain returns 100: there is no log process on this system.
func LogMain([]string) int { return 100 }
