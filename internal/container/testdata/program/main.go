// Program is the main program, and the services, of the containers of the test.
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
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"say"}
	}
	switch args[0] {
	case "say":
		dir, _ := os.Getwd()
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
			"args": os.Args, "dir": dir, "uid": os.Getuid(), "pid": os.Getpid(), "env": os.Getenv("FOR_PROGRAM"), "home": os.Getenv("HOME"),
		})
	case "exit":
		code, _ := strconv.Atoi(args[1])
		os.Exit(code)
	case "wait":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println(args[1], "is up")
		<-c
		fmt.Println(args[1], "ends")
	case "deaf":
		signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
		fmt.Println("deaf is up")
		select {}
	case "terminal":
		_, err := os.Open("/dev/tty")
		group, _, errno := syscall.Syscall(syscall.SYS_GETPGID, 0, 0, 0)
		fmt.Println("terminal:", err == nil, errno == 0 && int(group) == os.Getpid())
	case "orphans":
		n, _ := strconv.Atoi(args[1])
		fmt.Println("zombies:", orphans(n))
	case "parent":
		_, _ = start("leave")
	case "leave":
	}
}

func start(words ...string) (*os.Process, error) {
	return os.StartProcess("/program", append([]string{"/program"}, words...), &os.ProcAttr{})
}

// orphans makes processes whose parents end at once, and counts who is dead and not
// waited for when all are gone that can be.
func orphans(n int) int {
	for range n {
		p, err := start("parent")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		_, _ = p.Wait()
	}
	for {
		zombies, others := 0, 0
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, path := range stats {
			text, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+1:]))
			switch {
			case fields[0] == "Z":
				zombies++
			case isOrphan(filepath.Dir(path)):
				others++
			}
		}
		if others == 0 && zombies == 0 {
			return 0
		}
	}
}

func isOrphan(proc string) bool {
	words, _ := os.ReadFile(proc + "/cmdline")
	return strings.HasSuffix(string(words), "\x00leave\x00") || strings.HasSuffix(string(words), "\x00parent\x00")
}
