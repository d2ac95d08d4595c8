//go:build linux

package s6

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

func TestMain(m *testing.M) {
	if step := os.Getenv("CRASH_STEP"); step != "" {
		os.Exit(crashAt(step))
	}
	smtest.Main()
	os.Exit(s6test.Main(m))
}

// crashAt is the child of the tests of killed registrars: it registers or
// unregisters and kills itself at a step.
func crashAt(step string) int {
	opened, err := Backend().Open(context.Background(), sm.Options{ScanDir: os.Getenv("CRASH_SCANDIR")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	m := opened.(*manager)
	m.crash = func(at string) {
		if at == step {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if os.Getenv("CRASH_VERB") == "unregister" {
		err = m.Unregister(context.Background(), crashName)
	} else {
		err = m.Register(context.Background(), crashSpec(os.Getenv("CRASH_LOG")))
	}
	fmt.Fprintln(os.Stderr, "lived through it:", err)
	return 1
}

const crashName = "web"

func crashSpec(logDir string) sm.Spec {
	return sm.Spec{Name: crashName, Command: []string{"sleep", "1000"}, Log: sm.LogSpec{Dir: logDir}}
}
