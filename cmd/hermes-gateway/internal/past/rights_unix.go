//go:build unix

package past

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// OnlyRoots says why somebody other than root could change what a path means:
// the file, each directory above it, and each link on the way.
func (im Image) OnlyRoots(path string) error {
	_, err := im.find(path, func(at string, info fs.FileInfo) error {
		link := info.Mode()&fs.ModeSymlink != 0
		switch {
		case uid(info) != 0 && link:
			return fmt.Errorf("the link %s does not belong to root", at)
		case uid(info) != 0:
			return fmt.Errorf("%s does not belong to root", at)
		case !link && info.Mode().Perm()&0o022 != 0:
			return errors.New("others than root can write " + at)
		}
		return nil
	})
	return err
}

func uid(info fs.FileInfo) uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid
	}
	return ^uint32(0)
}
