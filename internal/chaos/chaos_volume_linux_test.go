package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// volume is where the logs are.
type volume struct {
	t    testing.TB
	dir  string
	own  bool // it can be filled
	full bool
	fill string
}

func newVolume(t testing.TB, dir string) *volume {
	return &volume{t: t, dir: dir, own: os.Getenv(mountedVar) != "", fill: filepath.Join(dir, "filler")}
}

// mountVolume mounts a file system in the namespace of this process, large enough
// for all that services write in the time.
func mountVolume(dir string, uid int) error {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	size := 64<<20 + int64(duration().Seconds()*float64(services())*8e3)
	return unix.Mount("chaos", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV,
		fmt.Sprintf("size=%d,mode=0700,uid=%d,gid=%d", size, uid, uid))
}

// fills leaves no page free.
func (v *volume) fills() bool {
	if !v.own || v.full {
		return false
	}
	v.full = true
	fd, err := unix.Open(v.fill, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		v.frees()
		return false
	}
	defer unix.Close(fd)
	end := int64(0)
	for step := int64(64 << 20); step >= 4096; {
		switch err := unix.Fallocate(fd, 0, end, step); {
		case err == nil:
			end += step
		case errors.Is(err, unix.ENOSPC):
			step /= 2
		case !errors.Is(err, unix.EINTR):
			v.t.Error("fill the volume:", err)
			return true
		}
	}
	return true
}

func (v *volume) frees() {
	if err := os.Remove(v.fill); err != nil && !errors.Is(err, os.ErrNotExist) {
		v.t.Error(err)
	}
	v.full = false
}
