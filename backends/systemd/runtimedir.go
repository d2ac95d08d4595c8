package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// user looks at the runtime directory of the user and at the sockets of the
// user's manager in it.
func (b *backend) user() (seen []servicemanager.Evidence, reachable bool) {
	dir, seen := b.runtimeDir()
	if dir == "" {
		return seen, false
	}
	bus, private := b.socket(dir+"/bus"), b.socket(dir+"/systemd/private")
	return append(seen, bus, private), bus.OK || private.OK
}

// runtimeDir is $XDG_RUNTIME_DIR or else the directory logind makes. Either
// must belong to us: after su and sudo the variable still names the other
// user's. "" means that there is none.
func (b *backend) runtimeDir() (dir string, seen []servicemanager.Evidence) {
	conventional := runtimeDirs + "/" + strconv.Itoa(b.uid)
	variable := servicemanager.Evidence{Name: "XDG_RUNTIME_DIR", Value: "not set"}
	if named := b.getenv("XDG_RUNTIME_DIR"); named != "" {
		variable.Value, variable.OK = b.ownDirectory(named)
		variable.Value = named + ": " + variable.Value
		if variable.OK {
			return filepath.Clean(named), []servicemanager.Evidence{variable}
		}
	}
	e := servicemanager.Evidence{Name: conventional}
	e.Value, e.OK = b.ownDirectory(conventional)
	seen = []servicemanager.Evidence{variable, e}
	if !e.OK {
		return "", seen
	}
	return conventional, seen
}

func (b *backend) ownDirectory(path string) (seen string, ok bool) {
	if !filepath.IsAbs(path) {
		return "not an absolute path", false
	}
	info, err := os.Stat(filepath.Join(b.root, path))
	if err != nil {
		return reason(err), false
	}
	if !info.IsDir() {
		return "not a directory", false
	}
	owner, known := ownerOf(info)
	if !known {
		return "owner unknown", false
	}
	if owner != b.uid {
		return fmt.Sprintf("belongs to uid %d, not to us (%d)", owner, b.uid), false
	}
	return fmt.Sprintf("directory of uid %d", owner), true
}
