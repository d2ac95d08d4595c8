package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// service is an open servicedir. The descriptor keeps meaning the same
// directory when the name is given to another.
type service struct {
	m    *manager
	name string
	dir  *fsat.Dir
}

// service opens a servicedir by name. Names that Register would refuse are
// fine where a scanner sees such a servicedir: others make them too. Where there
// is none, what cannot be a name is called so.
func (m *manager) service(name string) (*service, error) {
	if !sm.ValidName(name) && !visibleElement(name) {
		return nil, sm.CheckName(name)
	}
	dir, err := m.scan.SubFollow(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENAMETOOLONG) {
		if !sm.ValidName(name) && !printable(name) {
			return nil, sm.CheckName(name)
		}
		return nil, sm.WithRemedy(fmt.Errorf("%w in %s", sm.ErrNotRegistered, m.scan.Path()), "see the services with: list")
	}
	if err != nil {
		return nil, err
	}
	return &service{m: m, name: name, dir: dir}, nil
}

// visibleElement says whether a scanner looks at an entry of this name.
func visibleElement(name string) bool {
	return name != "" && len(name) <= 255 && name[0] != '.' && !strings.ContainsAny(name, "/\x00")
}

func printable(name string) bool {
	return name[0] != '-' && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func (s *service) close() { s.dir.Close() }

// same says whether the name still means the directory that s holds.
func (s *service) same() (bool, error) {
	now, err := s.m.scan.SubFollow(s.name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer now.Close()
	a, err := s.dir.StatSelf()
	if err != nil {
		return false, err
	}
	b, err := now.StatSelf()
	return a.Dev == b.Dev && a.Ino == b.Ino, err
}

// registered says whether Register made the directory.
func (s *service) registered() bool {
	ok, err := s.dir.Exists(servicedir.MarkFile)
	return ok && err == nil
}

// mark returns what Register wrote down; the zero mark for other directories.
func (s *service) mark() servicedir.Mark {
	b, err := s.dir.ReadFile(servicedir.MarkFile, servicedir.MaxMark)
	if err != nil {
		return servicedir.Mark{}
	}
	mark, err := servicedir.ParseMark(b)
	if err != nil {
		return servicedir.Mark{Version: 1} // damaged, but ours
	}
	return mark
}

// supervised says whether a supervisor holds the service's lock.
func (s *service) supervised() (bool, error) {
	held, _, err := lock.Holder(s.dir, servicedir.LockFile)
	return held, err
}

// supervisor is the process that holds the service's lock, 0 if there is none
// or it cannot be known.
func (s *service) supervisor() int {
	_, pid, err := lock.Holder(s.dir, servicedir.LockFile)
	if err != nil {
		return 0
	}
	return pid
}

// send writes commands to the supervisor.
func (s *service) send(ctx context.Context, cmds string) error {
	owner, err := s.m.treeUID()
	if err != nil {
		return err
	}
	return control.Send(ctx, s.dir, servicedir.ControlFile, owner, cmds)
}

// unread is how many bytes of commands the supervisor has not read yet.
func (s *service) unread() (int, error) {
	owner, err := s.m.treeUID()
	if err != nil {
		return 0, err
	}
	f, err := control.Open(s.dir, servicedir.ControlFile, owner)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return control.Unread(f)
}

// listening returns nil when a supervisor reads the control FIFO,
// control.ErrNobody when none does, or why it cannot be commanded.
func (s *service) listening() error {
	owner, err := s.m.treeUID()
	if err != nil {
		return err
	}
	f, err := control.Open(s.dir, servicedir.ControlFile, owner)
	if err != nil {
		return err
	}
	return f.Close()
}

// number reads a file with a number in it, as the supervisor does.
func (s *service) number(name string) (uint64, bool) {
	b, err := s.dir.ReadFile(name, 4096)
	if err != nil {
		return 0, false
	}
	return servicedir.ParseNumber(string(b))
}
