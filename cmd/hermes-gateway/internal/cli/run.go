package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"time"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Process is what a run of the command takes from the process it runs in.
type Process struct {
	In        io.Reader
	Out, Err  io.Writer
	LookupEnv func(string) (string, bool)
	Now       func() time.Time
	Host      string // the machine's name, for people
	// Root says whether the process may do everything.
	Root bool
	// BecomeOwner makes the process the owner of a directory before it
	// touches it (execas.BecomeOwner).
	BecomeOwner func(dir string) (*execas.Account, error)
	// Owns says whether the process runs as the owner of a directory
	// (execas.Owns); nil means it always does.
	Owns func(dir string) bool
	// Backends are the candidates for the manager; nil means the registered
	// ones.
	Backends []servicemanager.Backend
	// Zombies says who is dead and not waited for by its parent; nil: nobody
	// knows.
	Zombies func() []string
}

// ThisProcess returns the Process that the program really runs in.
func ThisProcess() Process {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return Process{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		LookupEnv: os.LookupEnv, Now: time.Now, Host: host,
		Root: os.Geteuid() == 0, BecomeOwner: execas.BecomeOwner, Owns: execas.Owns,
		Zombies: zombies,
	}
}

// Run executes one command line, without the program's name, and returns its
// exit code. It prints everything there is to say. An end of ctx interrupts
// the command.
func Run(ctx context.Context, args []string, p Process) int {
	a := newApp(p)
	defer a.close()
	root := newRootCmd(a)
	root.SetArgs(args)
	root.SetIn(p.In)
	root.SetOut(a.out)
	root.SetErr(p.Err)
	a.jsonAsked = asksForJSON(args)
	code := a.finish(ctx, root.ExecuteContext(ctx))
	if code != exitDone && asksForHealth(args) {
		return exitFailed
	}
	return code
}

// asksForHealth tells from the raw words, as an error may come before the
// flags, whether every code but 0 is to be 1.
func asksForHealth(args []string) bool {
	return slices.Contains(args, "status") && slices.Contains(args, "--healthy")
}
