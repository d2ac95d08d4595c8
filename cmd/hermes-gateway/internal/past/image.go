package past

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

// Where images made for s6-overlay have what is theirs.
const (
	BootHooks   = "/etc/cont-init.d"
	FinishHooks = "/etc/cont-finish.d"
	Services    = "/etc/services.d"
	Sources     = "/etc/s6-overlay/s6-rc.d"
	fixAttrs    = "/etc/fix-attrs.d"
	// Commands is a directory of programs that is last on PATH.
	Commands = "/command"
)

// AsUserSuffix ends the name of a hook that runs as who the program runs as.
const AsUserSuffix = ".user"

// Finding is something in an image that cannot work under this init.
type Finding struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

func (f *Finding) Error() string { return f.Path + ": " + f.Problem + "; " + f.Remedy }

// Image is a root file system.
type Image struct {
	Root string // "/": that of this process
	Path string // PATH of its hooks and services; empty: the usual one
}

// usualPath is what images have that say nothing.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + Commands

// WithCommands is a PATH that looks in Commands last.
func WithCommands(path string) string {
	switch {
	case path == "":
		return usualPath
	case strings.Contains(":"+path+":", ":"+Commands+":"):
		return path
	}
	return path + ":" + Commands
}

// Findings lists all that this init would refuse. What nobody has named in an image
// tree, as variables, is not looked at.
func (im Image) Findings() ([]*Finding, error) {
	var all []*Finding
	for _, dir := range []string{BootHooks, FinishHooks} {
		found, err := im.hooks(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	for _, dir := range []string{Services, Sources} {
		found, err := im.Services(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	found, err := im.Oneshots(Sources)
	if err != nil {
		return nil, err
	}
	all = append(all, found...)
	found, err = im.FixAttrs()
	return append(all, found...), err
}

func (im Image) hooks(dir string) ([]*Finding, error) {
	names, err := im.list(dir)
	if err != nil {
		return nil, err
	}
	var all []*Finding
	for _, name := range names {
		path := dir + "/" + name
		info, err := im.stat(path)
		switch {
		case err != nil:
			all = append(all, &Finding{path, "it leads to nothing", "remove it"})
		case !info.Mode().IsRegular():
		default:
			if f := im.Hook(path); f != nil {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

// Hook says why a hook cannot be executed, or must not be by root; nil if it can.
func (im Image) Hook(path string) *Finding {
	info, err := im.stat(path)
	if err == nil && info.Mode()&0o111 == 0 {
		return &Finding{path, "it is not executable", "chmod +x it, or remove it"}
	}
	if f := im.Script(path); f != nil {
		return f
	}
	if os.Geteuid() != 0 || strings.HasSuffix(path, AsUserSuffix) {
		return nil
	}
	if err := im.OnlyRoots(path); err != nil {
		return &Finding{path, "it would run as root, and " + err.Error(), "mend that, or call it NAME" + AsUserSuffix}
	}
	return nil
}

// Services finds what cannot be executed of a directory of service directories.
func (im Image) Services(dir string) ([]*Finding, error) {
	names, err := im.list(dir)
	if err != nil {
		return nil, err
	}
	var all []*Finding
	for _, name := range names {
		for _, file := range []string{"run", "finish", "log/run", "log/finish"} {
			if f := im.Script(filepath.Join(dir, name, file)); f != nil {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

// FixAttrs finds files that say who is to own what, which nobody reads here.
func (im Image) FixAttrs() ([]*Finding, error) {
	names, err := im.list(fixAttrs)
	if err != nil {
		return nil, err
	}
	var all []*Finding
	for _, name := range names {
		all = append(all, &Finding{
			fixAttrs + "/" + name, "owners and modes are not changed at boot",
			"set them in the Dockerfile, or in a hook of " + BootHooks + ", and remove it",
		})
	}
	return all, nil
}

// list is what a directory holds, but for names that begin with a dot. One that is
// not there, or not for us, holds nothing.
func (im Image) list(dir string) ([]string, error) {
	at, err := im.find(dir, nil)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(at)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (im Image) stat(path string) (fs.FileInfo, error) {
	at, err := im.find(path, nil)
	if err != nil {
		return nil, err
	}
	return os.Lstat(at)
}

// mostLinks is what Linux follows in one path.
const mostLinks = 40

var errLinks = errors.New("too many links")

// find is where on this system a path of the image leads to. Each part of the way is
// shown to visit, in the words of the image, if there is one.
func (im Image) find(path string, visit func(path string, info fs.FileInfo) error) (string, error) {
	at, left := "/", parts(path)
	for links := 0; ; {
		info, err := os.Lstat(filepath.Join(im.Root, at))
		if err == nil && visit != nil {
			err = visit(at, info)
		}
		if err != nil && visit != nil {
			return "", err
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if links++; links > mostLinks {
				return "", &fs.PathError{Op: "open", Path: path, Err: errLinks}
			}
			to, err := os.Readlink(filepath.Join(im.Root, at))
			if err != nil {
				return "", err
			}
			left = append(parts(to), left...)
			if at = filepath.Dir(at); filepath.IsAbs(to) {
				at = "/"
			}
		}
		if len(left) == 0 {
			return filepath.Join(im.Root, at), nil
		}
		at, left = filepath.Join(at, left[0]), left[1:]
	}
}

func parts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// head is how a file begins.
func (im Image) head(path string) ([]byte, error) {
	at, err := im.find(path, nil)
	if err != nil {
		return nil, err
	}
	return headOf(at, shebang.HeadSize)
}
