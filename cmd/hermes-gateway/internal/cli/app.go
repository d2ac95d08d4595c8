package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// app is one run of the command: its process, its global flags and, once a
// command asked for it, the manager.
type app struct {
	proc Process
	out  *resultWriter
	// env overrides variables of the process after it became another user.
	env       map[string]string
	flags     globalFlags
	given     []string // the global flags of this command line, to repeat them in advice
	jsonAsked bool     // from the raw words, for errors that come before the flags
	conn      *connection
	tried     servicemanager.Finding // the manager that open chose, also if it failed
}

type globalFlags struct {
	backend, scanDir, home string
	scope                  string
	user, system           bool
	exact, json, noWait    bool
	quiet, verbose         bool
	timeout                time.Duration
	timeoutSet             bool
}

func newApp(p Process) *app {
	return &app{proc: p, out: &resultWriter{w: p.Out}, env: map[string]string{}}
}

// resultWriter remembers the first error of standard output, so that a full
// disk is a failure and not a silent success.
type resultWriter struct {
	w   io.Writer
	err error
}

func (r *resultWriter) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(p)
	if err != nil {
		r.err = err
	}
	return n, err
}

func (a *app) getenv(key string) string {
	v, _ := a.lookupEnv(key)
	return v
}

func (a *app) lookupEnv(key string) (string, bool) {
	if v, ok := a.env[key]; ok {
		return v, true
	}
	return a.proc.LookupEnv(key)
}

// bindGlobal declares the global flags.
func (a *app) bindGlobal(f *pflag.FlagSet) {
	g := &a.flags
	f.StringVar(&g.backend, "backend", "auto", "service manager: auto, s6, systemd, launchd or foreground (env HERMES_SERVICE_MANAGER)")
	f.StringVar(&g.scanDir, "scandir", "", "scan directory of an s6 tree; implies --backend s6 (env HERMES_SCANDIR)")
	f.StringVar(&g.home, "home", "", "root home of the profiles (env HERMES_HOME; default ~/.hermes)")
	f.StringVar(&g.scope, "scope", "auto", "whose services on a host: auto, user or system")
	f.BoolVar(&g.user, "user", false, "short for --scope user")
	f.BoolVar(&g.system, "system", false, "short for --scope system")
	f.BoolVar(&g.exact, "exact", false, "names are the service manager's own (env HERMES_EXACT_NAMES=1)")
	f.BoolVar(&g.json, "json", false, "print one JSON document instead of text")
	f.DurationVar(&g.timeout, "timeout", 0, "how long to wait, like 30s or 2m; 0 waits for ever (default depends on the command)")
	f.BoolVar(&g.noWait, "no-wait", false, "return when the request is accepted")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "print errors only")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "also say what is done and with which service manager")
	f.SortFlags = false
}

// settle reads what the flags left to the environment and checks all of it.
func (a *app) settle(f *pflag.FlagSet) error {
	g := &a.flags
	a.given = givenFlags(f)
	g.timeoutSet = f.Changed("timeout")
	if f.Changed("scandir") && g.scanDir == "" {
		return &usageError{"--scandir is empty; leave it away to look for a scan directory"}
	}
	a.settleManager(f)
	if !f.Changed("exact") {
		exact, err := boolEnv("HERMES_EXACT_NAMES", a.getenv("HERMES_EXACT_NAMES"))
		if err != nil {
			return err
		}
		g.exact = exact
	}
	for _, dir := range []*string{&g.scanDir, &g.home} {
		if *dir == "" {
			continue
		}
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return fmt.Errorf("find %s: %w", *dir, err)
		}
		*dir = abs
	}
	return a.check()
}

// settleManager decides between the flags and variables that name a manager: a
// flag beats a variable, and a scan directory from the environment is no
// reason to refuse a manager that has none.
func (a *app) settleManager(f *pflag.FlagSet) {
	g := &a.flags
	backendSet, scanDirSet := f.Changed("backend"), f.Changed("scandir")
	if v := a.getenv("HERMES_SERVICE_MANAGER"); v != "" && !backendSet && !scanDirSet {
		g.backend = v
	}
	if !scanDirSet && (g.backend == "auto" || g.backend == "s6") {
		g.scanDir = a.getenv("HERMES_SCANDIR")
	}
}

func (a *app) check() error {
	g := &a.flags
	switch g.backend {
	case "auto", "s6", "systemd", "launchd", "foreground":
	default:
		return &usageError{fmt.Sprintf("service manager %q is none of auto, s6, systemd, launchd, foreground", g.backend)}
	}
	if g.user && g.system {
		return &usageError{"--user and --system exclude each other"}
	}
	if g.user {
		g.scope = "user"
	}
	if g.system {
		g.scope = "system"
	}
	switch {
	case g.scope != "auto" && g.scope != "user" && g.scope != "system":
		return &usageError{fmt.Sprintf("--scope %q is none of auto, user, system", g.scope)}
	case g.timeout < 0:
		return &usageError{fmt.Sprintf("--timeout %s is negative; 0 waits for ever", g.timeout)}
	case g.scanDir != "" && g.backend != "auto" && g.backend != "s6":
		return &usageError{"--scandir belongs to s6, not to --backend " + g.backend}
	}
	return nil
}

func boolEnv(key, v string) (bool, error) {
	switch v {
	case "", "0", "false", "no":
		return false, nil
	case "1", "true", "yes":
		return true, nil
	}
	return false, &usageError{fmt.Sprintf("%s=%q is neither 1 nor 0", key, v)}
}

// givenFlags returns the global flags that decide which service is meant, as
// they were typed, for commands that advice suggests.
func givenFlags(f *pflag.FlagSet) []string {
	var given []string
	for _, name := range []string{"backend", "scandir", "home", "scope"} {
		if fl := f.Lookup(name); fl != nil && fl.Changed {
			given = append(given, "--"+name, shellWord(fl.Value.String()))
		}
	}
	for _, name := range []string{"user", "system", "exact"} {
		if fl := f.Lookup(name); fl != nil && fl.Changed && fl.Value.String() == "true" {
			given = append(given, "--"+name)
		}
	}
	return given
}

// options are the settings as the library takes them. SERVICE_MANAGER and
// SERVICE_SCANDIR, which it reads by itself, rank below all of the command's.
func (a *app) options() servicemanager.Options {
	o := servicemanager.Options{ScanDir: a.flags.scanDir, Backends: a.proc.Backends, Getenv: a.getenv}
	if a.flags.backend != "auto" {
		o.Kind = servicemanager.Kind(a.flags.backend)
	} else if a.flags.scanDir != "" {
		o.Kind = servicemanager.KindS6
	}
	if a.flags.scope == "system" || a.flags.scope == "auto" && a.proc.Root {
		o.Scope = servicemanager.ScopeSystem
	}
	return o
}

func (a *app) findHome() (hermes.Home, error) {
	return hermes.FindHome(a.flags.home, a.getenv)
}

// within bounds a context by --timeout, else by def; 0 is no bound.
func (a *app) within(ctx context.Context, def time.Duration) (context.Context, context.CancelFunc, time.Duration) {
	if a.flags.timeoutSet {
		def = a.flags.timeout
	}
	if def == 0 {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, 0
	}
	ctx, cancel := context.WithTimeout(ctx, def)
	return ctx, cancel, def
}

// close ends what the run holds.
func (a *app) close() {
	if a.conn != nil {
		a.conn.manager.Close()
	}
}
