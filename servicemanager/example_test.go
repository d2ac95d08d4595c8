package servicemanager_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

// A program normally imports backends/all and passes no Backends; here they are
// a fake, so that the example runs anywhere.
func ExampleDetect() {
	container := smtest.FakeBackend(servicemanager.KindS6, servicemanager.FitNative, smtest.NewFake())
	anywhere := smtest.FakeBackend(servicemanager.KindForeground, servicemanager.FitFallback, smtest.NewFake())

	m, err := servicemanager.Detect(context.Background(), servicemanager.Options{
		Backends: []servicemanager.Backend{anywhere, container},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println("this machine runs", m.Kind())
	// Output: this machine runs s6
}

func ExampleSurvey() {
	for _, f := range servicemanager.Survey(context.Background(), servicemanager.Options{
		Backends: []servicemanager.Backend{
			smtest.FakeBackend(servicemanager.KindForeground, servicemanager.FitFallback, smtest.NewFake()),
			smtest.FakeBackend(servicemanager.KindSystemd, servicemanager.FitNone, smtest.NewFake()),
			smtest.FakeBackend(servicemanager.KindS6, servicemanager.FitNative, smtest.NewFake()),
		},
	}) {
		fmt.Printf("%-10s %-8s %s\n", f.Kind, f.Probe.Fit, f.Probe.Reason)
	}
	// Output:
	// s6         native   the test says native
	// foreground fallback the test says fallback
	// systemd    none     the test says none
}

// The whole way from nothing to a running service.
func ExampleEnsure() {
	ctx := context.Background()
	m := smtest.NewFake() // else: servicemanager.Detect(ctx, servicemanager.Options{})
	defer m.Close()

	command, err := servicemanager.Self("serve", "--listen", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	spec := servicemanager.Spec{Name: "web", Command: command, Env: map[string]string{"MODE": "production"}}
	for range 2 {
		change, err := servicemanager.Ensure(ctx, m, spec)
		if err != nil {
			log.Fatal(err)
		}
		st, err := m.Status(ctx, spec.Name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(change, "and", st.State)
	}
	// Output:
	// created and up
	// none and up
}

// Match causes, print remedies.
func ExampleError() {
	ctx := context.Background()
	m := smtest.NewFake(smtest.FakeInstaller(), smtest.FakeKind(servicemanager.KindSystemd))

	err := m.Register(ctx, servicemanager.Spec{Name: "web", Command: []string{"web"}})
	fmt.Println("not supported:", errors.Is(err, servicemanager.ErrNotSupported))
	fmt.Println("remedy:", servicemanager.RemedyOf(err))

	_, err = m.Status(ctx, "web")
	var e *servicemanager.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, "of", e.Service, "on", e.Kind, "failed:", e.Err)
	}
	// Output:
	// not supported: true
	// remedy: registration at run time exists under s6 only; install the service instead
	// status of web on systemd failed: no such service
}

func ExampleAs() {
	ctx := context.Background()
	var m servicemanager.ServiceManager = smtest.NewFake()
	exe, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Register(ctx, servicemanager.Spec{Name: "web", Command: []string{exe}}); err != nil {
		log.Fatal(err)
	}
	if w, ok := servicemanager.As[servicemanager.Waiter](m); ok && m.Supports(servicemanager.CapWait) {
		st, err := w.Wait(ctx, "web", servicemanager.UntilReady)
		fmt.Println(st.State, st.Ready, err)
	}
	// Output: up true <nil>
}

func ExampleStatusAll() {
	ctx := context.Background()
	m := smtest.NewFake()
	exe, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"web", "db"} {
		if err := m.Register(ctx, servicemanager.Spec{Name: name, Command: []string{exe}, Down: name == "db"}); err != nil {
			log.Fatal(err)
		}
	}
	for st, err := range servicemanager.StatusAll(ctx, m) {
		fmt.Println(st.Name, st.State, err)
	}
	// Output:
	// db down <nil>
	// web up <nil>
}
