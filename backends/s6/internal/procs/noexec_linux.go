package procs

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

// A container's tmpfs is mounted noexec unless somebody asks for more, and so the
// kernel executes no script there. Its interpreter may: then it is executed as the
// kernel would have done it.

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
	head := make([]byte, shebang.HeadSize)
	n, err := unix.Pread(fd, head, 0)
	if err != nil {
		return spec, false, err
	}
	path, arg := shebang.Interpreter(head[:n])
	if path == "" {
		return spec, false, fmt.Errorf("%w: the file system is mounted noexec, where only scripts with #! work; mount it exec, or have a script execute the program", refused)
	}
	words := []string{path, spec.Path}
	if arg != "" {
		words = []string{path, arg, spec.Path}
	}
	spec.Path, spec.Args = path, append(words, spec.Args[1:]...)
	return spec, true, nil
}
