package svscancmd

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
)

// takeDescriptors prepares those of the command line. No service inherits what
// this process inherited: package reaper sees to that.
func takeDescriptors(o options, opts *svscan.Options) error {
	if o.console != 0 {
		if !isOpen(o.console) {
			return fmt.Errorf("-X %d: %w: that descriptor is not open", o.console, errUsage)
		}
		opts.Console = os.NewFile(uintptr(o.console), "console")
	}
	if o.report != 0 {
		if !isOpen(o.report) {
			return fmt.Errorf("--report-fd=%d: %w: that descriptor is not open", o.report, errUsage)
		}
		unix.CloseOnExec(o.report)
		if err := unix.SetNonblock(o.report, true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		opts.Report = func(line string) {
			if _, err := unix.Write(o.report, []byte(line)); errors.Is(err, unix.EAGAIN) {
				say("nobody reads descriptor " + strconv.Itoa(o.report) + ", lost: " + line)
			}
		}
	}
	if o.ready != 0 {
		if !isOpen(o.ready) {
			return fmt.Errorf("-d %d: %w: that descriptor is not open", o.ready, errUsage)
		}
		opts.Ready = func() {
			_, _ = unix.Write(o.ready, []byte{'\n'})
			_ = unix.Close(o.ready)
		}
	}
	return nil
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// takeSignals turns signals into commands, until stop. Those that s6-svscan
// takes without a meaning of their own are taken here too.
func takeSignals(tree *svscan.Tree) (stop func()) {
	meaning := map[os.Signal]string{
		syscall.SIGTERM: "t", syscall.SIGINT: "i", syscall.SIGQUIT: "q",
		syscall.SIGHUP: "h", syscall.SIGALRM: "a", syscall.SIGABRT: "b",
		syscall.SIGPIPE: "", // ignored it would be ignored in services as well
		syscall.SIGUSR1: "", syscall.SIGUSR2: "", syscall.SIGPWR: "", syscall.SIGWINCH: "",
	}
	signals := make(chan os.Signal, 64)
	for s := range meaning {
		signal.Notify(signals, s)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range signals {
			tree.Control(meaning[s])
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
