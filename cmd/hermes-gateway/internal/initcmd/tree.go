package initcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/past"
)

// What is supervised without being named, where it exists.
const (
	sharedScanDir = "/run/service"
)

// tree is the argv of the supervision tree; empty: there is none.
func (o *options) tree() ([]string, error) {
	dir, err := o.scanDirectory()
	if err != nil {
		return nil, err
	}
	services, err := o.serviceDirectory()
	if err != nil {
		return nil, err
	}
	rc, err := o.rcDirectory()
	if err != nil || dir == "" && services == "" && rc == "" && !o.past.called {
		return nil, err
	}
	words := []string{"svscan", "--make", "--report-fd=" + strconv.Itoa(pid1.TreeReports)}
	if boot := pid1.Boot(); boot != "" {
		words = append(words, "--boot="+boot)
	}
	if services != "" {
		words = append(words, "--services="+services)
	}
	if rc != "" {
		words = append(words, "--s6-rc="+rc)
	}
	words = append(words, "--")
	if dir != "" { // else it takes the first one that it can use
		words = append(words, dir)
	}
	return program(words...)
}

// scanDirectory is the one that is named, or the shared one; empty: neither.
func (o *options) scanDirectory() (string, error) {
	dir := o.scanDir
	if dir == "" {
		dir = os.Getenv("HERMES_SCANDIR")
	}
	if dir == "" && (isDir(sharedScanDir) || o.past.called && o.canMakeShared()) {
		dir = sharedScanDir
	}
	return absolute("the scan directory", dir)
}

func (o *options) serviceDirectory() (string, error) {
	return sources("services", o.services, past.Services)
}

func (o *options) rcDirectory() (string, error) {
	return sources("s6-rc definitions", o.rc, past.Sources)
}

// sources is the directory that is named, or the shared one; empty: neither.
func sources(what, dir, shared string) (string, error) {
	if dir == "" && isDir(shared) {
		dir = shared
	}
	if dir == "" {
		return "", nil
	}
	if _, err := os.ReadDir(dir); err != nil && !errors.Is(err, fs.ErrPermission) { // the tree may be somebody else
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return absolute(what, dir)
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// absolute is a path that stays right when the init leaves the working directory.
func absolute(what, dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", what, dir, err)
	}
	return abs, nil
}
