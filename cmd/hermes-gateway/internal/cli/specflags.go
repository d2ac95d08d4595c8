package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// specFlags are the flags of register and install that describe a service.
type specFlags struct {
	profile      string
	longNames    bool
	env          []string
	envFile      string
	dir          string
	runAs        string
	logDir       string
	ready        bool
	readyFD      int
	stopTimeout  time.Duration
	restart      string
	restartDelay time.Duration
	fatalExit    []int
	after        []string
	noFile       uint64
	description  string
}

func (sf *specFlags) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&sf.profile, "profile", "", "the profile whose gateway a given COMMAND is, instead of NAME")
	f.BoolVar(&sf.longNames, "long-names", false, fmt.Sprintf("accept profile names of up to %d bytes instead of %d", hermes.MaxLongProfileLen, hermes.MaxProfileLen))
	f.StringArrayVar(&sf.env, "env", nil, "set a variable, K=V; K alone takes the value from here, so that it shows in no process list (repeatable)")
	f.StringVar(&sf.envFile, "env-file", "", "file of K=V lines, read at every start")
	f.StringVar(&sf.dir, "dir", "", "working directory (default: a profile's home, / for other services)")
	f.StringVar(&sf.runAs, "run-as", "", "account to run as, USER or USER:GROUP (default: the supervisor's)")
	f.StringVar(&sf.logDir, "log-dir", "", "where the output is stored; none switches it off (default below the home's logs)")
	f.BoolVar(&sf.ready, "ready", false, "the program announces when it is ready, through NOTIFY_FD or NOTIFY_SOCKET")
	f.IntVar(&sf.readyFD, "ready-fd", 0, "the program announces when it is ready, as a line on this descriptor")
	f.DurationVar(&sf.stopTimeout, "stop-timeout", 0, "how long the process may take to stop before it is killed (default 10s)")
	f.StringVar(&sf.restart, "restart", "", "when to start it again: always, on-failure or never (default: on-failure for profiles, else always)")
	f.DurationVar(&sf.restartDelay, "restart-delay", 0, "pause before the first restart, doubled up to 5m (default 1s)")
	f.IntSliceVar(&sf.fatalExit, "fatal-exit", nil, "exit codes after which it is not started again (default: 78 for profiles)")
	f.StringSliceVar(&sf.after, "after", nil, "services that are started before it")
	f.Uint64Var(&sf.noFile, "nofile", 0, "limit of open files (default: the supervisor's)")
	f.StringVar(&sf.description, "description", "", "one line for people")
	f.SortFlags = false
}

// split parts NAME from the command after --. hasCommand tells an empty
// command from none.
func (sf *specFlags) split(cmd *cobra.Command, args []string) (name string, argv []string, hasCommand bool, err error) {
	names := args
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		names, argv, hasCommand = args[:dash], args[dash:], true
	}
	switch {
	case hasCommand && len(argv) == 0:
		return "", nil, false, wrongUsage(cmd, "there is no command after --")
	case len(names) > 1:
		return "", nil, false, wrongUsage(cmd, "%s takes one NAME, and %q is more; a command stands after --", cmd.Name(), names[1])
	case len(names) == 0 && sf.profile == "":
		return "", nil, false, wrongUsage(cmd, "%s needs a NAME", cmd.Name())
	case len(names) == 1 && sf.profile != "" && sf.profile != names[0]:
		return "", nil, false, wrongUsage(cmd, "NAME %q and --profile %q exclude each other", names[0], sf.profile)
	case len(names) == 1:
		return names[0], argv, hasCommand, nil
	}
	return sf.profile, argv, hasCommand, nil
}

// spec makes the description of the service that the command line asks for:
// the gateway of a profile, or any service with a command of its own.
func (a *app) spec(ctx *cobra.Command, sf *specFlags, args []string) (servicemanager.Spec, hermes.Target, error) {
	name, argv, hasCommand, err := sf.split(ctx, args)
	if err != nil {
		return servicemanager.Spec{}, hermes.Target{}, err
	}
	var spec servicemanager.Spec
	t := hermes.Target{Typed: name}
	if hasCommand && sf.profile == "" {
		if t.Service, err = a.newServiceName(name); err != nil {
			return spec, t, err
		}
		t.Profile = hermes.ProfileOf(a.conn.kind(), t.Service)
		spec = servicemanager.Spec{Name: name, Command: argv, Down: true}
		spec.Log.Dir = a.conn.home.ServiceLogs(t.Service)
	} else {
		if t.Profile, err = parseProfile(name, sf.longNames); err != nil {
			return spec, t, err
		}
		t.Service = t.Profile.Service()
		if spec, err = a.gatewaySpec(t.Profile, argv); err != nil {
			return spec, t, err
		}
	}
	return spec, t, sf.apply(a, ctx, &spec)
}

// newServiceName accepts names that a profile could have too; other names that
// are valid for the manager must be meant: --exact.
func (a *app) newServiceName(name string) (hermes.ServiceName, error) {
	service, err := hermes.ParseServiceName(name)
	if err != nil || a.flags.exact {
		return service, err
	}
	if _, err := hermes.ParseProfileName(name, servicemanager.MaxNameLen); err != nil {
		var se *servicemanager.SpecError
		if errors.As(err, &se) {
			se.Field = "Name"
		}
		return hermes.ServiceName{}, servicemanager.WithRemedy(err, "if that name is meant, add --exact")
	}
	return service, nil
}

func parseProfile(name string, long bool) (hermes.ProfileName, error) {
	if long {
		return hermes.ParseProfileName(name, hermes.MaxLongProfileLen)
	}
	p, err := hermes.ParseProfileName(name, hermes.MaxProfileLen)
	if err == nil {
		return p, nil
	}
	if _, lerr := hermes.ParseProfileName(name, hermes.MaxLongProfileLen); lerr == nil {
		return p, servicemanager.WithRemedy(err, "--long-names lifts it")
	}
	return p, servicemanager.WithRemedy(err, "a service of another name needs its command: NAME -- COMMAND")
}

// gatewaySpec describes the gateway of a profile that exists. Without argv the
// command is that of the template.
func (a *app) gatewaySpec(p hermes.ProfileName, argv []string) (servicemanager.Spec, error) {
	home := a.conn.home
	if err := home.Check(p); err != nil {
		return servicemanager.Spec{}, servicemanager.WithRemedy(&hermes.UnknownError{Name: p.String(), Why: err},
			"make the profile first, or name another home with --home")
	}
	if argv == nil {
		var err error
		if argv, err = hermes.GatewayCommand(a.getenv("HERMES_GATEWAY_COMMAND"), home, p); err != nil {
			return servicemanager.Spec{}, err
		}
	}
	spec := hermes.GatewaySpec(home, p, argv)
	_, err := spec.Normalize()
	var bad *servicemanager.SpecError
	if errors.As(err, &bad) && bad.Field == "Command" {
		return spec, servicemanager.WithRemedy(err, "put the program on PATH, or say in HERMES_GATEWAY_COMMAND how to run it")
	}
	return spec, err
}

// apply puts what was asked for over the defaults.
func (sf *specFlags) apply(a *app, cmd *cobra.Command, spec *servicemanager.Spec) error {
	f := cmd.Flags()
	var err error
	for flag, dir := range map[string]struct {
		from string
		to   *string
	}{"dir": {sf.dir, &spec.Dir}, "env-file": {sf.envFile, &spec.EnvFile}, "log-dir": {sf.logDir, &spec.Log.Dir}} {
		if !f.Changed(flag) {
			continue
		}
		if flag == "log-dir" && dir.from == "none" {
			*dir.to = ""
			continue
		}
		if dir.from == "" {
			return wrongUsage(cmd, "--%s is empty", flag)
		}
		if *dir.to, err = filepath.Abs(dir.from); err != nil {
			return fmt.Errorf("find %s: %w", dir.from, err)
		}
	}
	if f.Changed("restart") {
		if spec.Restart, err = parsePolicy(sf.restart); err != nil {
			return err
		}
	}
	if f.Changed("fatal-exit") {
		spec.FatalExitCodes = sf.fatalExit
	}
	if f.Changed("description") {
		spec.Description = sf.description
	}
	if sf.ready {
		spec.Ready = servicemanager.ReadyNotify
	}
	spec.User, spec.ReadyFD, spec.StopTimeout, spec.RestartDelay = sf.runAs, sf.readyFD, sf.stopTimeout, sf.restartDelay
	spec.Limits.NoFile = sf.noFile
	if err := a.applyAfter(cmd, sf.after, spec); err != nil {
		return err
	}
	return a.applyEnv(sf.env, spec)
}

// applyAfter takes NAMEs as everywhere; a service may come to be later, so an
// unknown name is the service of exactly that name.
func (a *app) applyAfter(cmd *cobra.Command, names []string, spec *servicemanager.Spec) error {
	if len(names) == 0 {
		return nil
	}
	w, err := a.world(cmd.Context(), a.conn)
	if err != nil && !w.Unsure {
		return err
	}
	w.Unsure = true
	for _, name := range names {
		t, err := w.Resolve(name)
		if err != nil {
			return a.withNameRemedy(err)
		}
		spec.After = append(spec.After, t.Service.String())
	}
	return nil
}

// applyEnv adds variables; a key alone takes the caller's value.
func (a *app) applyEnv(entries []string, spec *servicemanager.Spec) error {
	if spec.Env == nil {
		spec.Env = map[string]string{}
	}
	for _, e := range entries {
		key, value, given := strings.Cut(e, "=")
		if !servicemanager.ValidEnvKey(key) {
			return &servicemanager.SpecError{Field: "--env", Value: key, Reason: "is not a variable name ([A-Za-z_][A-Za-z0-9_]*)"}
		}
		if !given {
			if value, given = a.lookupEnv(key); !given {
				return &usageError{fmt.Sprintf("--env %s: the variable is not set here; set it, or say --env %s=VALUE", key, key)}
			}
		}
		spec.Env[key] = value
	}
	return nil
}

func parsePolicy(word string) (servicemanager.RestartPolicy, error) {
	for _, p := range []servicemanager.RestartPolicy{servicemanager.RestartAlways, servicemanager.RestartOnFailure, servicemanager.RestartNever} {
		if p.String() == word {
			return p, nil
		}
	}
	return 0, &usageError{fmt.Sprintf("--restart %q is none of always, on-failure, never", word)}
}
