//go:build !linux

package logread

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Open is for Linux: elsewhere there is no s6, and the error matches
// errors.ErrUnsupported.
func Open(_ context.Context, dir string, _ Options) (io.ReadCloser, error) {
	return nil, fmt.Errorf("read log directory %s: only on Linux: %w", dir, errors.ErrUnsupported)
}
