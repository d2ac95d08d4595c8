package reaper

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

// touch opens and reads the beginning of a program and of its interpreters, as
// the kernel will when it executes it.
//
// In Go's fork the parent stands still, with one of Go's processors and where
// nothing can interrupt it, until the child has executed the program. The next
// collection of garbage would wait for that, and everything else for the
// collection. So if the program is on a file system that hangs, or just is not
// in memory yet, this is waited for here, where it holds up nobody else. It does
// not help if the file system begins to hang just between the two, nor for the
// loader of an ELF program, or one that may be executed but not read.
//
// It returns the interpreter that is missing, if one is. Other errors are the
// execution's to find.
func touch(dir int, path string) (missing string) {
	// The kernel follows five, see exec_binprm in fs/exec.c.
	for depth := 0; depth <= 5; depth++ {
		next, err := interpreter(dir, path)
		if errors.Is(err, unix.ENOENT) && depth > 0 {
			return path
		}
		if err != nil || next == "" {
			return ""
		}
		path = next
	}
	return ""
}

// interpreter returns what the first line of a script names, or "".
func interpreter(dir int, path string) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, path, &st, 0); err != nil {
		return "", err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return "", unix.EACCES // and a FIFO would block
	}
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var head [shebang.HeadSize]byte
	n, err := unix.Pread(fd, head[:], 0)
	if err != nil {
		return "", err
	}
	name, _ := shebang.Interpreter(head[:n])
	return name, nil
}
