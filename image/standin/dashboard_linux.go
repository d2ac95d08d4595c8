package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// fatalConfig is the exit code that asks for no other start.
const fatalConfig = 78

func dashboard(words []string) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	flags := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	host := flags.String("host", "127.0.0.1", "")
	port := flags.String("port", "9119", "")
	_ = flags.Bool("no-open", false, "")
	if flags.Parse(words) != nil {
		return 2
	}
	ip := net.ParseIP(*host)
	if (ip == nil || !ip.IsLoopback()) && os.Getenv("HERMES_DASHBOARD_BASIC_AUTH_USERNAME") == "" {
		return refuse(fatalConfig, "the dashboard is not for everybody at %s: nobody would have to say who they are", *host)
	}
	listener, err := listen(*host, *port)
	if err != nil {
		return refuse(1, "dashboard: %v", err)
	}
	fmt.Printf("dashboard on %s, pid %d\n", listener.Addr(), os.Getpid())
	go answer(listener, "dashboard")
	<-signals
	return 0
}
