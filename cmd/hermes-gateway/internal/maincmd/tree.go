package maincmd

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// The exit codes of the command for what start would fail of.
const (
	failed    = 1
	usage     = 2
	noService = 5
)

// sharedScanDir is where images have a scan directory.
const sharedScanDir = "/run/service"

// A tree is started at the same time as this program. That a scanner comes to
// listen has no event, before its directory is there least of all.
const (
	treePatience = 10 * time.Second
	treePause    = 20 * time.Millisecond
)

// tree is the supervision tree of the container.
type tree struct {
	backends []servicemanager.Backend
	getenv   func(string) string
}

// isMeant says whether a tree runs here, or is to be expected.
func (t tree) isMeant(ctx context.Context) bool {
	switch t.getenv("HERMES_SERVICE_MANAGER") {
	case "", "auto", "s6":
	default:
		return false
	}
	if t.getenv("HERMES_SCANDIR") != "" || t.getenv("SERVICE_SCANDIR") != "" {
		return true
	}
	info, err := os.Stat(sharedScanDir)
	return err == nil && info.IsDir() || t.runs(ctx)
}

// runs says whether a scanner listens.
func (t tree) runs(ctx context.Context) bool {
	found := servicemanager.Survey(ctx, servicemanager.Options{
		Kind: servicemanager.KindS6, ScanDir: t.getenv("HERMES_SCANDIR"), Backends: t.backends, Getenv: t.getenv,
	})
	return len(found) > 0 && found[0].Probe.Fit > servicemanager.FitNone
}

// await waits until a scanner listens.
func (t tree) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, treePatience)
	defer cancel()
	pause := time.NewTicker(treePause)
	defer pause.Stop()
	for !t.runs(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no supervision tree has come within %v: its own message says why; gateway run %s does without", treePatience, noSupervise)
		case <-pause.C:
		}
	}
	return nil
}

func (g gateway) name() string {
	if g.profile == "" {
		return hermes.Default().String()
	}
	return g.profile
}

// service is the name of a profile's service, if the profile exists.
func (g gateway) service(getenv func(string) string) (string, error) {
	p, err := hermes.ParseProfileName(g.name(), hermes.MaxLongProfileLen)
	if err != nil {
		return "", err
	}
	home, err := hermes.FindHome("", getenv)
	if err != nil {
		return "", err
	}
	if err := home.Check(p); err != nil {
		return "", fmt.Errorf("there is no profile %s: %w; make it first, or mount the home that has it", p, err)
	}
	return p.Service().String(), nil
}
