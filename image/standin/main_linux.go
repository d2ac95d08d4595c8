package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	profile, words := profileOf(os.Args[1:])
	switch {
	case len(words) > 1 && words[0] == "gateway" && words[1] == "run":
		os.Exit(gateway(profile))
	case len(words) > 0 && words[0] == "dashboard":
		os.Exit(dashboard(words[1:]))
	case len(words) > 0 && words[0] == orphanWord:
		orphan(words[1:])
	case len(words) == 1 && (words[0] == "--version" || words[0] == "--help"):
		fmt.Println("a stand-in for hermes, as", words[0], "asks")
	default:
		os.Exit(tell())
	}
}

func profileOf(words []string) (profile string, rest []string) {
	if len(words) > 1 && (words[0] == "-p" || words[0] == "--profile") {
		return words[1], words[2:]
	}
	return "default", words
}

// homeOf is a profile's directory.
func homeOf(profile string) string {
	home := os.Getenv("HERMES_HOME")
	if home == "" {
		home = filepath.Join(os.Getenv("HOME"), ".hermes")
	}
	if profile == "default" {
		return home
	}
	return filepath.Join(home, "profiles", profile)
}

// asked is what a test asks a profile for; "" is nothing.
func asked(profile, name string) string {
	text, _ := os.ReadFile(filepath.Join(homeOf(profile), "standin"))
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && key == name {
			return value
		}
	}
	return os.Getenv("HERMES_STANDIN_" + strings.ToUpper(name))
}

func askedNumber(profile, name string) (n int, given bool) {
	n, err := strconv.Atoi(asked(profile, name))
	return n, err == nil
}

// tell prints how the program was run, one line of JSON, and returns its exit code.
func tell() int {
	dir, _ := os.Getwd()
	groups, _ := os.Getgroups()
	columns, terminal := settledWindow()
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"argv": os.Args, "dir": dir, "uid": os.Getuid(), "gid": os.Getgid(), "groups": groups, "pid": os.Getpid(), "ppid": os.Getppid(),
		"home": os.Getenv("HOME"), "hermes_home": os.Getenv("HERMES_HOME"),
		"terminal": terminal, "columns": columns, "foreground": foreground(), "no_new_privs": noNewPrivs(),
	})
	code, _ := askedNumber("default", "exit")
	return code
}

// noNewPrivs says whether nothing here can gain privileges.
func noNewPrivs() bool {
	text, _ := os.ReadFile("/proc/self/status")
	return strings.Contains(string(text), "\nNoNewPrivs:\t1\n")
}

// sizePatience is how long an engine may take to tell a new terminal its size.
const sizePatience = 10 * time.Second

// settledWindow is the window of standard output. An engine tells the size when the
// program runs already, and the program by WINCH.
func settledWindow() (columns int, terminal bool) {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	columns, terminal = window(1)
	if terminal && columns == 0 {
		select {
		case <-changed:
		case <-time.After(sizePatience):
		}
		columns, terminal = window(1)
	}
	return columns, terminal
}

// window asks a descriptor for the size of its terminal.
func window(fd uintptr) (columns int, terminal bool) {
	var size struct{ rows, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return int(size.columns), errno == 0
}

// foreground says whether this process may read from its controlling terminal.
func foreground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	var group int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	return errno == 0 && int(group) == syscall.Getpgrp()
}
