package svscan

import (
	"errors"
	"os"
	"time"
)

// Options say what to supervise and how. Only Dir is required.
type Options struct {
	// Dir is the scan directory. It must belong to the user the tree runs as,
	// and nobody else may be able to write in it.
	Dir string
	// Make has Dir made if it does not exist; the directory above it must.
	Make bool
	// Env is the environment of the services; nil means that of the process.
	Env []string
	// Stdin, Stdout and Stderr are the services' descriptors 0, 1 and 2 where no
	// logger takes their output; nil means those of the process.
	Stdin, Stdout, Stderr *os.File
	// Console is descriptor 2 of the service s6-svscan-log, the catch-all
	// logger (option -X of s6-svscan); nil means Stderr.
	Console *os.File

	// LogCommand is the argv of the log process that writes the logs of all
	// services with a file log/directives. Empty: there is none, and log/run is
	// run for these services too, as s6 does.
	LogCommand []string
	// LogDrain bounds how long the end of a tree waits for the log process to
	// write what services have left; 0 means 5 s.
	LogDrain time.Duration

	// ControlGroup, if HasControlGroup, is the gid whose members may use s6's
	// tools on the services.
	ControlGroup    int
	HasControlGroup bool

	// Boot names the boot of the machine or the container that this is, in one
	// line. Where the scan directory was last used in another boot, what that has
	// left is removed before anything is started: registered services, state,
	// and directories in the making; other service directories stay. A service
	// that may be alive stays as it is. Empty: nothing is removed.
	Boot string

	// Services is a directory of service directories that are copied into Dir
	// before anything is started, once in each boot; a name that Dir has of its
	// own is left alone. Empty: there is none.
	Services string

	// RC is a directory of definitions in the source format of s6-rc, which become
	// service directories in Dir as those of Services do. The bundles user and
	// user2, there or in ../user-bundles.d, say which of them. Empty: there is none.
	RC string
	// Words is the interpreter, with one argument or none, that runs up and down of
	// a oneshot where there is no execlineb: a text that Words of package execline
	// takes apart. Empty: there is none.
	Words string

	// Max is how many services and loggers there may be; 0 means 1000.
	Max int
	// MaxName is how long the name of a service may be, in bytes; 0 means 251.
	MaxName int
	// Rescan is the period after which the scan directory is looked at without
	// a command; 0 means never.
	Rescan time.Duration
	// Leave says that the end of Run's context leaves the services running, as
	// the command b does. Otherwise it stops them, as the command t does.
	Leave bool

	// Report takes what an init above the tree is to know, one line of at most
	// 512 bytes with its newline at a time: "ready" when commands are taken;
	// "all-ready" when every service found at first is ready, is down as it should
	// be, or has been given up; "gave-up NAME REASON" when a service is not started
	// again by itself, or what it needs is not there; "essential NAME STATUS" when
	// one that has the file essential is down for good, with an exit code, or
	// 128+n for signal n. It must not block; nil drops all.
	Report func(line string)
	// Ready is called once, before the first scan, when commands are taken.
	Ready func()
	// Settled is called after many services have begun and none has for half a
	// second: a moment to give memory back, as beginning needs more than having
	// begun.
	Settled func()
	// Warn takes what an operator should know, one line each. It may be called
	// from several goroutines; nil drops it.
	Warn func(text string)
	// Version is what .s6-svscan/version tells after "hermes-gateway ".
	Version string
}

// Defaults and bounds, those of s6-svscan 2.15.1.
const (
	defaultMax     = 1000
	minMax         = 4
	mostMax        = 160000
	defaultMaxName = 251
	minMaxName     = 11
	mostMaxName    = 1019
	defaultDrain   = 5 * time.Second
)

// VersionFile tells, below the scan directory, that this package supervises it:
// one line, "hermes-gateway " and a version.
const VersionFile = ".s6-svscan/version"

// BootFile is where, below the scan directory, Options.Boot is kept.
const BootFile = ".s6-svscan/boot"

// Errors of New.
var (
	// ErrScanning means that another scanner, of s6 or of this package, has the
	// scan directory.
	ErrScanning = errors.New("another scanner supervises this scan directory")
	// ErrRefused means that somebody else could make the tree run code.
	ErrRefused = errors.New("refused")
)

func (o Options) withDefaults() Options {
	o.Max = bounded(o.Max, defaultMax, minMax, mostMax)
	o.MaxName = bounded(o.MaxName, defaultMaxName, minMaxName, mostMaxName)
	if o.LogDrain == 0 {
		o.LogDrain = defaultDrain
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Console == nil {
		o.Console = o.Stderr
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return o
}

func bounded(n, otherwise, least, most int) int {
	if n == 0 {
		return otherwise
	}
	return min(max(n, least), most)
}
