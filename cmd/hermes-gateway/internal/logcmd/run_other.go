//go:build !unix

package logcmd

import (
	"errors"

	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

func run(options, logdir.Script) error {
	return systemFailure(errors.New("log directories as s6-log writes them are not supported on this system"))
}
