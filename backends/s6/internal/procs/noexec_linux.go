package procs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
)

// A container's tmpfs is mounted noexec unless somebody asks for more, and so the
// kernel executes no script there. Its interpreter may: then it is executed as the
// kernel would have done it.

// headSize is what the kernel reads of a program (BINPRM_BUF_SIZE).
const headSize = 256

// interpreted is spec for a script on a file system that is mounted noexec. ok is
// false where refused has another cause.
func interpreted(dir *fsat.Dir, spec reaper.Spec, refused error) (_ reaper.Spec, ok bool, err error) {
	if !errors.Is(refused, unix.EACCES) {
		return spec, false, nil
	}
	fd, err := dir.OpenFD(strings.TrimPrefix(spec.Path, "./"), unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return spec, false, nil //nolint:nilerr // refused says it
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	var fs unix.Statfs_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o111 == 0 ||
		unix.Fstatfs(fd, &fs) != nil || fs.Flags&unix.ST_NOEXEC == 0 {
		return spec, false, nil
	}
	head := make([]byte, headSize)
	n, err := unix.Pread(fd, head, 0)
	if err != nil {
		return spec, false, err
	}
	words := interpreter(head[:n])
	if words == nil {
		return spec, false, fmt.Errorf("%w: the file system is mounted noexec, where only scripts with #! work; mount it exec, or have a script execute the program", refused)
	}
	spec.Args = append(append(words, spec.Path), spec.Args[1:]...)
	spec.Path = words[0]
	return spec, true, nil
}

// interpreter is what the first line of a script has executed: a path, and
// everything after it as one word. Source: execve(2), Linux fs/binfmt_script.c.
func interpreter(head []byte) []string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	text, script := bytes.CutPrefix(line, []byte("#!"))
	if !script {
		return nil
	}
	text = bytes.Trim(text, " \t")
	at := bytes.IndexAny(text, " \t")
	switch {
	case len(text) == 0:
		return nil
	case at < 0:
		return []string{string(text)}
	}
	return []string{string(text[:at]), string(bytes.TrimLeft(text[at:], " \t"))}
}
