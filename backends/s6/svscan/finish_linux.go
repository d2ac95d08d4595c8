package svscan

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// finishFile is what a scanner becomes at its end.
const finishFile = ".s6-svscan/finish"

// ExecFinish makes the process .s6-svscan/finish of a scan directory, without
// arguments and in the scan directory, as s6-svscan does at its end. It returns
// nil where there is no such file.
func ExecFinish(scandir string, env []string) error {
	dir, err := fsat.Open(scandir)
	if err != nil {
		return err
	}
	defer dir.Close()
	own, err := dir.Sub(".s6-svscan")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer own.Close()
	if exists, err := own.Exists("finish"); err != nil || !exists {
		return err
	}
	if err := mayExecute(own, "finish"); err != nil {
		return err
	}
	if err := unix.Fchdir(dir.FD()); err != nil {
		return fmt.Errorf("chdir %s: %w", scandir, err)
	}
	return &fs.PathError{Op: "exec", Path: dir.Path(finishFile), Err: syscall.Exec(finishFile, []string{finishFile}, env)}
}
