//go:build !linux

package s6

import (
	"context"
	"runtime"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

const onlyLinux = "this backend needs Linux, this is " + runtime.GOOS

func (b backend) probe(context.Context, sm.Options) sm.Probe {
	return sm.Probe{Fit: sm.FitNone, Reason: onlyLinux, Detail: detail}
}

func (b backend) open(context.Context, sm.Options) (sm.ServiceManager, error) {
	return nil, sm.WithRemedy(sm.ErrNotSupported, onlyLinux+"; use launchd or foreground")
}
