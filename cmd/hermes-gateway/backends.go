package main

import (
	"github.com/hermes-gateway/hermes-gateway/backends/all"
	"github.com/hermes-gateway/hermes-gateway/backends/s6"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// backends returns those of backends/all, with this very program as the one
// that s6 run scripts call: it need not be on anybody's PATH.
func backends() []servicemanager.Backend {
	list := all.Backends()
	self, err := servicemanager.Self()
	if err != nil {
		return list
	}
	for i, b := range list {
		if b.Kind() == servicemanager.KindS6 {
			list[i] = s6.Backend(s6.WithHelper(self[0]))
		}
	}
	return list
}
