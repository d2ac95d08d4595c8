package maincmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/cli"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Main does what the words of a container ask for. It returns, with an exit code,
// when nothing could be executed, or a gateway was supervised and the container
// ends.
func Main(words []string, backends func() []servicemanager.Backend) int {
	if g, ok := gatewayRun(words); ok && g.mayBeSupervised(os.Getenv) {
		t := tree{backends: backends(), getenv: os.Getenv}
		if t.isMeant(context.Background()) {
			return t.supervise(g)
		}
	}
	code, err := execas.Exec(argv(words, isProgram))
	complain(err)
	return code
}

// isProgram says whether a word can be meant as a program: a path always is.
func isProgram(word string) bool {
	if strings.ContainsRune(word, os.PathSeparator) {
		return true
	}
	_, err := exec.LookPath(word)
	return err == nil
}

// supervise has the tree run a gateway, and stays until the container ends.
func (t tree) supervise(g gateway) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if code := t.start(ctx, g, os.Stderr); code != 0 {
		if ctx.Err() != nil { // the container ends, and the tree with it
			return 0
		}
		return code
	}
	g.tell(os.Stderr)
	<-ctx.Done()
	return 0
}

// start returns the exit code of the command start.
func (t tree) start(ctx context.Context, g gateway, stderr io.Writer) int {
	service, err := g.service(t.getenv)
	var bad *servicemanager.SpecError
	switch {
	case errors.As(err, &bad):
		complain(err)
		return usage
	case err != nil:
		complain(err)
		return noService
	}
	if err := t.await(ctx); err != nil {
		if ctx.Err() == nil {
			complain(err)
		}
		return failed
	}
	process := cli.ThisProcess()
	process.Backends, process.Out = t.backends, stderr // what it did is no output of the program
	return cli.Run(ctx, []string{"start", "--backend", "s6", "--exact", "--", service}, process)
}

// tell says where the gateway has gone, and how to have it otherwise.
func (g gateway) tell(w io.Writer) {
	name := g.name()
	fmt.Fprintf(w, `hermes-gateway: the gateway of the profile %[1]s runs under s6 supervision: it is started
  again when it crashes, and this container goes on when it ends. Look at it:
    hermes-gateway status %[1]s
    hermes-gateway logs -f %[1]s
  To have it as the container's own program: gateway run %[2]s, or %[3]s=1
`, name, noSupervise, noSuperviseVar)
	if len(g.options) > 0 {
		fmt.Fprintf(w, "  These words are not passed to it: %s\n", strings.Join(g.options, " "))
	}
}

func complain(err error) {
	fmt.Fprintf(os.Stderr, "hermes-gateway main: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
}
