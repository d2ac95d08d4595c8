package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// gateway is one from its start to its end; it returns the exit code.
func gateway(profile string) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if os.Getuid() == 0 && os.Getenv("HERMES_ALLOW_ROOT_GATEWAY") != "1" {
		return refuse(1, "a gateway does not run as root; HERMES_ALLOW_ROOT_GATEWAY=1 lets it")
	}
	if code, given := askedNumber(profile, "exit"); given {
		writeState(profile, "startup_failed", "asked for")
		return refuse(code, "gateway %s ends with %d", profile, code)
	}
	writeState(profile, "starting", "")
	if port := gatewayPort(profile); port != "" {
		listener, err := listen("127.0.0.1", port)
		if err != nil {
			writeState(profile, "startup_failed", err.Error())
			return refuse(1, "gateway %s: %v", profile, err)
		}
		go answer(listener, "gateway "+profile)
	}
	if n, given := askedNumber(profile, "orphans"); given {
		if err := leaveOrphans(n); err != nil {
			return refuse(1, "gateway %s: %v", profile, err)
		}
		fmt.Println("gateway", profile, "has left", n, "orphans")
	}
	writeState(profile, "running", "")
	sayReady(profile)
	fmt.Println("gateway", profile, "is up, pid", os.Getpid())
	for s := range signals {
		if asked(profile, "deaf") == "1" {
			fmt.Println("gateway", profile, "does not end on", s)
			continue
		}
		fmt.Println("gateway", profile, "ends")
		break
	}
	if plannedStop(profile) {
		writeState(profile, "stopped", "")
	} else { // the container may end: nobody has said that it is to stay down
		writeState(profile, "running", "signal")
	}
	return 0
}

func refuse(code int, format string, args ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	return code
}

func gatewayPort(profile string) string {
	for _, port := range []string{asked(profile, "port"), os.Getenv("API_SERVER_PORT"), os.Getenv("HERMES_GATEWAY_PORT")} {
		if port != "" {
			return port
		}
	}
	return ""
}

func listen(host, port string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
}

// answer tells everybody who asks what this is.
func answer(listener net.Listener, what string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		// What is not read would make the answer one of a broken connection.
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = fmt.Fprintf(conn, "HTTP/1.0 200 OK\r\n\r\n%s, pid %d\n", what, os.Getpid())
		_ = conn.Close()
	}
}

// sayReady writes the newline that s6 waits for.
func sayReady(profile string) {
	fd, given := askedNumber(profile, "ready")
	if !given {
		n, err := strconv.Atoi(os.Getenv("NOTIFY_FD"))
		if err != nil {
			return
		}
		fd = n
	}
	f := os.NewFile(uintptr(fd), "readiness")
	_, _ = f.WriteString("\n")
	f.Close()
}

// writeState replaces the state file as a gateway does: whole, or not at all.
func writeState(profile, state, reason string) {
	path := filepath.Join(homeOf(profile), "gateway_state.json")
	text, err := json.Marshal(map[string]any{
		"gateway_state": state, "exit_reason": reason, "pid": os.Getpid(), "kind": "hermes-gateway", "argv": os.Args,
		"start_time": startTime(), "hermes_home": homeOf(profile), "updated_at": time.Now().UTC().Format(time.RFC3339),
	})
	if err == nil {
		err = os.WriteFile(path+".tmp", append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway", profile, "cannot write its state:", err)
	}
}

// startTime is field 22 of /proc/self/stat.
func startTime() int {
	text, _ := os.ReadFile("/proc/self/stat")
	if fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])); len(fields) > 19 {
		n, _ := strconv.Atoi(fields[19])
		return n
	}
	return 0
}

// plannedStop takes the mark of an operator who stops this very process.
func plannedStop(profile string) bool {
	path := filepath.Join(homeOf(profile), ".gateway-planned-stop.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var mark struct {
		PID int `json:"target_pid"`
	}
	if json.Unmarshal(text, &mark) != nil || mark.PID != os.Getpid() {
		return false
	}
	return os.Remove(path) == nil
}
