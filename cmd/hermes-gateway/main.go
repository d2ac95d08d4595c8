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
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/svscancmd"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "exec-gateway":
			os.Exit(execas.Main(os.Args[2:], os.Stderr))
		case svscancmd.WordsRole:
			os.Exit(execwords.Main(os.Args[2:], os.Stderr))
		case "log":
			os.Exit(logcmd.Main(os.Args[2:], os.Stdout))
		case "init":
			os.Exit(initcmd.Main(os.Args[2:], early.Signals, os.Stdout))
		case "main":
			os.Exit(maincmd.Main(os.Args[2:], backends))
		case "svscan":
			os.Exit(svscancmd.Main(os.Args[2:], cli.Version(), os.Stdout))
		case svscancmd.LogRole:
			os.Exit(svscan.LogMain(os.Args[2:]))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	process := cli.ThisProcess()
	process.Backends = backends()
	os.Exit(cli.Run(ctx, os.Args[1:], process))
}
