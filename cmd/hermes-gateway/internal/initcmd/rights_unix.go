//go:build unix

package initcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// mostLinks is what Linux follows in one path.
const mostLinks = 40

// onlyRoots says why somebody other than root could change what a path means:
// the file, each directory above it, and each link on the way.
func onlyRoots(path string) error {
	at, left := "/", strings.Split(strings.Trim(filepath.Clean(path), "/"), "/")
	if err := rootsOwn(at); err != nil {
		return err
	}
	for links := 0; len(left) > 0; {
		next := filepath.Join(at, left[0])
		left = left[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if err := rootsOwn(next); err != nil {
				return err
			}
			at = next
			continue
		}
		if links++; links > mostLinks {
			return fmt.Errorf("%s: %w", path, syscall.ELOOP)
		}
		if uid(info) != 0 {
			return fmt.Errorf("the link %s does not belong to root", next)
		}
		to, err := os.Readlink(next)
		if err != nil {
			return err
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		words := strings.FieldsFunc(to, func(r rune) bool { return r == '/' })
		left = append(words, left...)
	}
	return nil
}

func rootsOwn(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if uid(info) != 0 {
		return fmt.Errorf("%s does not belong to root", path)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("others than root can write " + path)
	}
	return nil
}

func uid(info fs.FileInfo) uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid
	}
	return ^uint32(0)
}
