// Package scandirs knows where scan directories are by convention. Clients look
// in all these places for a tree, and a tree takes the first that it can use.
package scandirs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const program = "hermes-gateway"

// Shared is the place that containers use.
const Shared = "/run/service"

// Own returns the places of this user, best first. Each is the directory
// service in a directory that must be the user's alone. root, if not empty, is
// put before fixed places, and the environment does not count then.
func Own(root string) []string {
	uid := os.Geteuid()
	var dirs []string
	add := func(dir string) {
		if dir = filepath.Join(dir, "service"); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); root == "" && filepath.IsAbs(dir) {
		add(filepath.Join(dir, program))
	}
	add(filepath.Join(root, fmt.Sprintf("/run/user/%d", uid), program))
	add(filepath.Join(root, fmt.Sprintf("/dev/shm/%s-%d", program, uid)))
	if cache, err := os.UserCacheDir(); root == "" && err == nil {
		add(filepath.Join(cache, program))
	}
	return dirs
}

// Mine says whether a directory is this user's alone: what somebody else could
// have made or can change is not.
func Mine(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
