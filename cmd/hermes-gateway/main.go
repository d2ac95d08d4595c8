// Command hermes-gateway runs the gateways of Hermes profiles, and any other
// long-lived service, under whatever supervises the machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/cli"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/early"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execwords"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/initcmd"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/logcmd"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/maincmd"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/past"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/role"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/svscancmd"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/tinicmd"
)

func main() {
	switch early.Role {
	case role.ExecGateway:
		os.Exit(execas.Main(os.Args[2:], os.Stderr))
	case role.ExecListening:
		os.Exit(initcmd.ExecListening(os.Args[2:], os.Stderr))
	case role.ExecWords:
		os.Exit(execwords.Main(os.Args[2:], os.Stderr))
	case role.Main:
		os.Exit(maincmd.Main(os.Args[2:], backends))
	case role.Log:
		os.Exit(logcmd.Main(os.Args[2:], os.Stdout))
	case role.Init:
		os.Exit(initcmd.Main(os.Args[2:], early.Signals, os.Stdout))
	case role.Svscan:
		os.Exit(svscancmd.Main(os.Args[2:], cli.Version(), os.Stdout))
	case role.LogPool:
		os.Exit(svscan.LogMain(os.Args[2:]))
	case role.Beneath:
		os.Exit(initcmd.Beneath(os.Args[1:], early.Signals))
	case role.PastInit:
		os.Exit(initcmd.Past(os.Args[1:], early.Signals, os.Stdout))
	case role.Tini:
		os.Exit(tinicmd.Main(os.Args[1:], cli.Version(), early.Signals, os.Stdout, os.Stderr))
	case role.WithContenv:
		os.Exit(past.WithContenv(os.Args[1:], os.Stderr))
	case role.SetUIDGID:
		os.Exit(past.SetUIDGID(os.Args[1:], os.Stderr))
	case role.ApplyUIDGID:
		os.Exit(past.ApplyUIDGID(os.Args[1:], os.Stderr))
	case role.Command:
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	process := cli.ThisProcess()
	process.Backends = backends()
	os.Exit(cli.Run(ctx, os.Args[1:], process))
}
