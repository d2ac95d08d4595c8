package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager/notify"
)

// A whole service: it runs under s6, systemd and launchd, and by hand.
func Example() {
	os.Exit(notify.Run(func(ctx context.Context, ready func()) error {
		listener, err := net.Listen("tcp", "127.0.0.1:8080")
		if err != nil {
			return err // exit 1: the supervisor tries again
		}
		server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()
		ready()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done(): // the supervisor asks us to stop
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return server.Shutdown(grace)
		}
	}))
}

func ExampleRun() {
	code := notify.Run(func(_ context.Context, ready func()) error {
		ready()
		return nil
	})
	fmt.Println("exit", code)
	// Output: exit 0
}

func ExampleFatal() {
	load := func() error { return errors.New("port is not a number") }
	code := notify.Run(func(context.Context, func()) error {
		if err := load(); err != nil {
			return notify.Fatal(err) // printed to standard error
		}
		return nil
	})
	fmt.Println("exit", code)
	// Output: exit 78
}

func ExampleWatchdog() {
	ping := func() error { return nil }
	_ = notify.Run(func(ctx context.Context, ready func()) error {
		ctx, cancel := context.WithCancel(ctx)
		watched := make(chan error, 1)
		go func() { watched <- notify.Watchdog(ctx, ping) }()
		ready()
		// ... serve until ctx ends ...
		cancel()
		return <-watched
	})
}
