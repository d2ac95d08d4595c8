package svscan_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
)

// A tree supervises a directory with one service, for a minute at most. Here the
// service ends the tree before: a byte in .s6-svscan/control does, from whatever
// program of the same user.
func Example() {
	scan, err := os.MkdirTemp("", "svscan-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(scan)
	const run = "#!/bin/sh\necho the service runs\nprintf q >../.s6-svscan/control\nexec sleep 60\n"
	if err := os.Mkdir(filepath.Join(scan, "web"), 0o755); err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(filepath.Join(scan, "web", "run"), []byte(run), 0o755); err != nil {
		fmt.Println(err)
		return
	}

	tree, err := svscan.New(svscan.Options{Dir: scan, Warn: func(text string) { fmt.Println(text) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := tree.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the tree has ended:", ctx.Err())
	// Output:
	// the service runs
	// the tree has ended: <nil>
}
