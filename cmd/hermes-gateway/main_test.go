package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// roleVar makes the test binary the real command, or, with the first argument
// test-service, a program to be supervised. No other program is built.
const roleVar = "HERMES_GATEWAY_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleVar) == "" {
		os.Exit(m.Run())
	}
	if len(os.Args) > 1 && os.Args[1] == "test-service" {
		os.Exit(serve(os.Args[2:]))
	}
	main()
}

// serve says that it runs and waits for TERM, which it answers with exit 0.
// "exit N" ends it at once, "stubborn" lets it ignore TERM.
func serve(args []string) int {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	fmt.Printf("serving %q as uid %d pid %d\n", args, os.Getuid(), os.Getpid())
	if len(args) == 2 && args[0] == "exit" {
		code, err := strconv.Atoi(args[1])
		if err != nil {
			return 99
		}
		return code
	}
	for range terms {
		if len(args) == 0 || args[0] != "stubborn" {
			return 0
		}
	}
	return 0
}
