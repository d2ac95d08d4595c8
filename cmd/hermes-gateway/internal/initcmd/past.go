package initcmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/past"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/role"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Past runs an init that is called as that of s6-overlay: all words are the program's,
// there always is a tree, and a hook that fails does not stop the boot unless
// somebody says so. What s6-overlay has in the environment every init understands.
func Past(args []string, signals <-chan os.Signal, stdout io.Writer) int {
	getenv := func(name string) string {
		text := os.Getenv(name)
		if text == "" && name == "S6_BEHAVIOUR_IF_STAGE2_FAILS" {
			return "1"
		}
		return text
	}
	return runInit(append([]string{"--"}, args...), getenv, true, signals, stdout)
}

// Beneath runs a command of this program below an init, as it was started as PID 1
// and would not reap. Signals reach it, and nobody ends it but itself.
func Beneath(args []string, signals <-chan os.Signal) int {
	keepRunning()
	log := newLogger("hermes-gateway", 0, os.Stderr)
	defer log.close()
	command, err := program(args...)
	if err != nil {
		log.log(0, err.Error())
		return pid1.ExitOwn
	}
	log.log(0, "this is PID 1, so it runs below an init; the entrypoint should be: hermes-gateway init -- hermes-gateway "+strings.Join(args, " "))
	code, _ := runWith(log, pid1.Options{Command: command, Signals: signals})
	return code
}

// program is the argv of this program in another role. It must not be started by a
// name that has a role of its own.
func program(words ...string) ([]string, error) {
	argv, err := servicemanager.Self(words...)
	if err != nil || role.Of(argv[:1], 0) == role.Command {
		return argv, err
	}
	real, err := filepath.EvalSymlinks(argv[0])
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	if argv[0] = real; role.Of(argv[:1], 0) != role.Command {
		return nil, fmt.Errorf("%s is this program itself, and has to be a link to it: ln -sf /usr/bin/hermes-gateway %s", real, real)
	}
	return argv, nil
}

// thisImage is what this process sees.
func thisImage() past.Image { return past.Image{Root: "/", Path: os.Getenv("PATH")} }

// ofPast refuses what cannot work, and prepares for what can.
func (o *options) ofPast(opts *pid1.Options) error {
	if o.past.logging != "" {
		return fmt.Errorf("S6_LOGGING=%s: there is no log of everything here; unset it, and give each service a log directory or read the container's own log", o.past.logging)
	}
	found, err := thisImage().FixAttrs()
	if err != nil {
		return err
	}
	services, err := o.serviceDirectory()
	if err == nil && services != "" {
		more, serr := thisImage().Services(services)
		found, err = append(found, more...), serr
	}
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return found[0]
	}
	rc, err := o.rcDirectory()
	if err != nil {
		return err
	}
	if rc != "" {
		env := []string{"PATH=" + past.WithCommands(os.Getenv("PATH"))}
		if err := svscan.CheckRC(rc, env, "this program", os.Geteuid() == 0 && opts.Identity == nil); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err // who may not read it does not know
		}
		opts.WaitReady = opts.WaitReady || o.past.called // as s6-overlay does
	}
	opts.TreeGrace = o.past.servicesGrace
	if len(o.past.stage2Hook) > 0 {
		step, err := o.stage2Step()
		if err != nil {
			return err
		}
		opts.BootSteps = append([]pid1.Step{step}, opts.BootSteps...)
	}
	if len(opts.BootSteps) > 0 {
		if err := makeContainerEnvironment(); err != nil {
			o.past.warnings = append(o.past.warnings, fmt.Sprintf("hooks cannot leave variables for with-contenv: %v", err))
		}
	}
	return nil
}

// stage2Step is the program that S6_STAGE2_HOOK names, as a hook before all others.
func (o *options) stage2Step() (pid1.Step, error) {
	step := pid1.Step{
		Name: "S6_STAGE2_HOOK", Command: append([]string{}, o.past.stage2Hook...),
		Timeout: o.hooks.timeout, MayFail: o.hooks.goOn, Quiet: o.hooks.quiet,
	}
	path := lookUp(step.Command[0])
	if path == "" {
		return step, nil // it fails as a hook does
	}
	step.Command[0] = path
	if f := thisImage().Hook(path); f != nil {
		return step, fmt.Errorf("S6_STAGE2_HOOK: %w", f)
	}
	return step, nil
}

// lookUp is where on the PATH of hooks a program is; empty: nowhere.
func lookUp(name string) string {
	if strings.Contains(name, "/") {
		abs, err := filepath.Abs(name)
		if err != nil {
			return ""
		}
		return abs
	}
	for _, dir := range filepath.SplitList(past.WithCommands(os.Getenv("PATH"))) {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}
