package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/scandirs"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// ownInit is the name that our own init gives process 1.
const ownInit = "hermes-gateway"

// finding is what looking at the machine came to.
type finding struct {
	evidence []sm.Evidence
	overlay  bool     // process 1 is s6-svscan and s6-overlay's base directory is there
	live     []string // scan directories with a scanner behind them
	given    bool     // the scan directory was named by the caller
	closed   uint32   // with given: the user whose scan directory it is, if it may not be asked
	isClosed bool
	dir      string            // the one named, or the only live one
	own      map[string]string // versions of our own trees, by directory
}

// probe believes evidence of a running supervisor only. Both files it reads
// about process 1 are readable for every user. Whether this is a container is
// not asked: markers of containers come and go with the engines.
func (b backend) probe(_ context.Context, opts sm.Options) sm.Probe {
	f := b.look(opts)
	p := sm.Probe{Evidence: f.evidence, Detail: f.detail(), ScanDir: f.dir}
	switch {
	case f.given && len(f.live) == 1:
		p.Fit, p.Reason = sm.FitNative, "a scanner listens in the given scan directory "+f.dir
	case f.given && f.isClosed:
		p.Fit, p.Reason = sm.FitNative, fmt.Sprintf("%s is a scan directory of uid %d, who alone may ask whether a scanner listens", f.dir, f.closed)
	case f.given:
		p.Reason = "no scanner listens in the given scan directory " + f.dir
	case len(f.live) > 1:
		p.Fit, p.Reason = sm.FitNative, "several scan directories are live: "+strings.Join(f.live, ", ")
	case f.overlay && f.dir != "":
		p.Fit, p.Reason = sm.FitNative, "process 1 is s6-svscan with its base directory; scan directory "+f.dir
	case len(f.live) == 1:
		p.Fit, p.Reason = sm.FitNative, "a scanner listens in "+f.dir
	default:
		p.Reason = "no scan directory with a scanner behind it was found"
	}
	return p
}

// chooseScanDir is the directory Open uses. One that was named is taken even
// where nobody listens: status can say so better than detection.
func (b backend) chooseScanDir(opts sm.Options) (string, error) {
	f := b.look(opts)
	switch {
	case f.given:
		return f.dir, nil
	case len(f.live) > 1:
		return "", sm.WithRemedy(fmt.Errorf("%w: several scan directories are live: %s", sm.ErrNoBackend, strings.Join(f.live, ", ")),
			"name one with --scandir or SERVICE_SCANDIR")
	case f.dir == "":
		return "", sm.WithRemedy(fmt.Errorf("%w: no scanner listens in any known scan directory", sm.ErrNotSupervised),
			"start one (s6-svscan DIR) and name it with --scandir DIR or SERVICE_SCANDIR")
	}
	return f.dir, nil
}

func (b backend) look(opts sm.Options) finding {
	f := finding{own: map[string]string{}}
	f.lookAtProcess1(b.cfg.root)
	named := opts.ScanDir
	if named == "" {
		named = b.cfg.scanDir
	}
	if named != "" {
		f.given = true
		f.dir = absolute(named)
		f.lookAtScanDir(f.dir)
		return f
	}
	for _, dir := range b.scanDirs() {
		f.lookAtScanDir(dir)
	}
	conventional := filepath.Join(b.cfg.root, scandirs.Shared)
	if f.overlay && !slices.Contains(f.live, conventional) && isDir(conventional) {
		f.live = append([]string{conventional}, f.live...) // alive by process 1's word
	}
	if len(f.live) == 1 {
		f.dir = f.live[0]
	}
	return f
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return dir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// lookAtProcess1 wants two things at once: the name of process 1 and the
// directory that s6-overlay makes. Anything that cannot be read speaks against.
func (f *finding) lookAtProcess1(root string) {
	comm := filepath.Join(root, "/proc/1/comm")
	b, err := os.ReadFile(comm)
	name := strings.TrimSuffix(string(b), "\n")
	if err != nil {
		f.see(comm, cause(err), false)
	} else {
		f.see(comm, name, name == "s6-svscan" || name == ownInit)
	}
	base := filepath.Join(root, "/run/s6/basedir")
	info, err := os.Stat(base)
	switch {
	case err != nil:
		f.see(base, cause(err), false)
	case !info.IsDir():
		f.see(base, "not a directory", false)
	default:
		f.see(base, "directory", true)
		f.overlay = name == "s6-svscan"
	}
}

// detail says which supervisor was found: our own has a version.
func (f *finding) detail() string {
	version, own := f.own[f.dir]
	if !own {
		return detail
	}
	return "s6 (" + treeName(version) + ")"
}

// treeName is what our own tree is called.
func treeName(version string) string {
	return strings.TrimSuffix("hermes-gateway's own tree, "+version, ", ")
}

func (f *finding) see(name, value string, ok bool) {
	f.evidence = append(f.evidence, sm.Evidence{Name: name, Value: value, OK: ok})
}

// scanDirs are the conventional places, with those of this user that somebody
// else could have made left out: a tree in them would be told our secrets.
func (b backend) scanDirs() []string {
	dirs := []string{filepath.Join(b.cfg.root, scandirs.Shared)}
	for _, dir := range scandirs.Own(b.cfg.root) {
		if scandirs.Mine(dir) && scandirs.Mine(filepath.Dir(dir)) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// lookAtScanDir asks whether a scanner has its control FIFO open.
func (f *finding) lookAtScanDir(dir string) {
	d, err := fsat.Open(dir)
	if err != nil {
		f.see(dir, cause(err), false)
		return
	}
	defer d.Close()
	st, err := d.Stat(".s6-svscan")
	if err != nil {
		f.see(dir, "no .s6-svscan in it: "+cause(err), false)
		return
	}
	fifo, err := control.Open(d, scannerControl, st.Uid)
	switch {
	case err == nil:
		fifo.Close()
		value := fmt.Sprintf("a scanner of uid %d listens", st.Uid)
		if version, own := ownTree(d); own {
			f.own[dir] = version
			value += ": " + treeName(version)
		}
		f.see(dir, value, true)
		f.live = append(f.live, dir)
	case errors.Is(err, control.ErrNobody):
		f.see(dir, "no scanner listens", false)
	case errors.Is(err, fs.ErrPermission):
		f.see(dir, fmt.Sprintf("no right to ask the scanner of uid %d", st.Uid), f.given)
		f.closed, f.isClosed = st.Uid, true
	case errors.Is(err, unix.ENOTDIR):
		f.see(dir, ".s6-svscan is not a directory", false)
	default:
		f.see(dir, cause(err), false)
	}
}
