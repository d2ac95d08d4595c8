// Package servicedir turns a Spec into the files of an s6 service directory
// and reads those files back. Rendering is pure; writing needs Linux.
//
// What a registered directory holds (s6 documentation, page servicedir; the
// last four are ours, which s6 ignores):
//
//	run                  sh script: environment, limits, directory, exec
//	finish               sh script: restart policy, and the cap on crash loops
//	down                 present while the service is wanted down
//	notification-fd      where readiness is announced
//	timeout-kill         Spec.StopTimeout in milliseconds
//	timeout-finish       5000
//	max-death-tally      100, the memory of the crash-loop cap
//	down-signal          Spec.StopSignal where it is not SIGTERM
//	log/run              the logger, where there is a log directory
//	log/directives       the same for a supervisor that logs by itself
//	backoff              restart delays in milliseconds, base and cap
//	data/registered      the mark: this directory may be changed and removed by us
//	data/private/env     the environment, as export commands; mode 0600 below 0700
//	data/private/spec    hash of the spec; secret like the values it covers
package servicedir

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// ReadyFD is the descriptor for readiness of programs that use package notify.
const ReadyFD = 3

// Names of the files that other parts of the backend use.
const (
	MarkFile     = "data/registered"
	HashFile     = "data/private/spec"
	ParkedFile   = "data/parked" // why the crash-loop cap or a fatal exit stopped the service
	AskedFile    = "data/asked"  // the process whose death was asked for: no policy
	LifeFile     = "data/pid"    // the process that run last became
	Directives   = "log/directives"
	DownFile     = "down"
	TallyFile    = "supervise/death_tally"
	StatusFile   = "supervise/status"
	LockFile     = "supervise/lock"
	ControlFile  = "supervise/control"
	InstanceFile = "supervise/instance" // which process is the service's; of our own tree only
	DeathsToPark = 10
	ParkWindow   = 60 // seconds
)

// Entry is a file or, with Dir, a directory. Entries are in the order of
// making.
type Entry struct {
	Path string
	Dir  bool
	Perm uint32
	Data string
}

// Env is what rendering needs to know about the machine.
type Env struct {
	// Logger is the argv of the program that takes s6-log directives:
	// {"/usr/bin/s6-log"} or {"/usr/bin/hermes-gateway", "log"}.
	Logger []string
	// AsUser is the argv that becomes Spec.User and executes the rest, or
	// nil where no change of user is needed.
	AsUser []string
}

// Render returns the content of the service directory. The spec must be
// normalized. It writes neither supervise/ nor event/.
func Render(spec sm.Spec, env Env) []Entry {
	spec = spec.WithDefaults()
	file := func(path, data string) Entry { return Entry{Path: path, Perm: 0o644, Data: data} }
	script := func(path, data string) Entry { return Entry{Path: path, Perm: 0o755, Data: data} }
	entries := []Entry{
		{Path: "data", Dir: true, Perm: 0o755},
		{Path: "data/private", Dir: true, Perm: 0o700},
		{Path: "data/private/env", Perm: 0o600, Data: envScript(spec)},
		{Path: HashFile, Perm: 0o600, Data: spec.Hash() + "\n"},
		file(MarkFile, MarkOf(spec).Encode()),
		file("type", "longrun\n"),
		file("timeout-kill", strconv.FormatInt(spec.StopTimeout.Milliseconds(), 10)+"\n"),
		file("timeout-finish", "5000\n"),
		file("max-death-tally", "100\n"),
		file("backoff", fmt.Sprintf("%d %d\n", spec.RestartDelay.Milliseconds(), spec.RestartMaxDelay.Milliseconds())),
		script("run", runScript(spec, env)),
		script("finish", finishScript(spec)),
	}
	if fd := readyFD(spec); fd != 0 {
		entries = append(entries, file("notification-fd", strconv.Itoa(fd)+"\n"))
	}
	if spec.StopSignal != syscall.SIGTERM {
		entries = append(entries, file("down-signal", strconv.Itoa(int(spec.StopSignal))+"\n"))
	}
	if spec.Down {
		entries = append(entries, file(DownFile, ""))
	}
	if spec.Log.Dir != "" {
		words := logDirectives(spec.Log)
		entries = append(entries,
			Entry{Path: "log", Dir: true, Perm: 0o755},
			file("log/type", "longrun\n"),
			file(Directives, strings.Join(words, "\n")+"\n"))
		entries = append(entries, logScripts(spec.Log, words, env)...)
	}
	return entries
}

func readyFD(spec sm.Spec) int {
	if spec.Ready == sm.ReadyNotify {
		return ReadyFD
	}
	return spec.ReadyFD
}
