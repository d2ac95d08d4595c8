package svscancmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// The exit codes of s6-svscan.
const (
	exitUsage  = 100
	exitSystem = 111
)

// Main runs a tree until it is told to end, and returns the exit code. args are
// the words after "svscan". It takes the signals of the process.
func Main(args []string, version string, stdout io.Writer) int {
	o, err := parseOptions(args)
	if err == nil && o.help {
		_, _ = io.WriteString(stdout, Help)
		return 0
	}
	if err == nil && o.dir == "" {
		o.dir, err = defaultDir()
	}
	if err != nil {
		say(err.Error())
		return exitUsage
	}
	if err := run(o, version); err != nil {
		say(err.Error())
		if errors.Is(err, svscan.ErrScanning) || errors.Is(err, svscan.ErrRefused) || errors.Is(err, servicemanager.ErrNotSupported) || errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitSystem
	}
	return 0
}

var errUsage = errors.New("wrong usage")

func defaultDir() (string, error) {
	for _, name := range []string{"HERMES_SCANDIR", "SERVICE_SCANDIR"} { // as clients have it
		if dir := os.Getenv(name); dir != "" {
			return dir, nil
		}
	}
	return svscan.DefaultDir()
}

// run is the tree; at its end the process becomes the finish script, if there
// is one.
func run(o options, version string) error {
	debug.SetGCPercent(beginningGC)
	self, err := servicemanager.Self(LogRole)
	if err != nil {
		return err
	}
	words, err := wordsInterpreter()
	if err != nil {
		return err
	}
	opts := svscan.Options{
		Dir: o.dir, LogCommand: self, Max: o.max, MaxName: o.maxName, Rescan: o.rescan,
		ControlGroup: o.group, HasControlGroup: o.hasGroup, Warn: say, Version: version,
		Settled: settle, Boot: o.boot, Services: o.services, RC: o.rc, Words: words, Make: o.make,
	}
	if err := takeDescriptors(o, &opts); err != nil {
		return err
	}
	tree, err := svscan.New(opts)
	if err != nil {
		return err
	}
	stop := takeSignals(tree)
	err = tree.Run(context.Background())
	stop()
	if err != nil {
		return err
	}
	return svscan.ExecFinish(o.dir, os.Environ())
}

// The collector of garbage rests while services begin, when time counts, and
// keeps memory small from then on: there is little garbage in an idle tree.
const (
	beginningGC = 400
	settledGC   = 25
)

func settle() {
	debug.SetGCPercent(settledGC)
	// Stacks shrink by half in each.
	for range 3 {
		debug.FreeOSMemory()
	}
}

// WordsRole is the hidden command that runs a script of words.
const WordsRole = "exec-words"

// wordsInterpreter is this program as a script names it.
func wordsInterpreter() (string, error) {
	self, err := servicemanager.Self(WordsRole)
	if err != nil || strings.ContainsAny(self[0], " \t\n") {
		return "", err // none then
	}
	return strings.Join(self, " "), nil
}

// LogRole is the hidden command that is the log process of a tree.
const LogRole = "log-pool"

// say prints a message of one line.
func say(text string) {
	fmt.Fprintf(os.Stderr, "hermes-gateway svscan: %s\n", strings.ReplaceAll(text, "\n", " "))
}
