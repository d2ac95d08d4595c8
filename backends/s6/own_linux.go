package s6

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	treenote "github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// This file knows what our own tree says that s6 does not.
//
// Whether a service is under our own tree its lock tells: s6-supervise has a
// lock of its process, ours one of an open file. Every status asks for the lock
// anyway, so on a tree of s6 this costs nothing, and nothing is remembered that
// could be of another tree by now. The scanner's version file, which outlives
// the scanner, is for people, and for what is asked once a registration.

const (
	versionFile = ".s6-svscan/version"
	ownVersion  = "hermes-gateway "
	maxVersion  = 200 // more than its line is long, in bytes
)

// ownTree says whether the living scanner of a scan directory is ours, and of
// which version. Who may not look gets false.
func ownTree(scan *fsat.Dir) (version string, own bool) {
	if st, err := lock.Query(scan, scannerLock); err != nil || !st.OpenFile {
		return "", false
	}
	return versionLeft(scan)
}

// versionLeft is the version of the last scanner of ours in a scan directory.
func versionLeft(scan *fsat.Dir) (version string, own bool) {
	b, err := scan.ReadStart(versionFile, maxVersion)
	if err != nil {
		return "", false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	version, own = strings.CutPrefix(line, ownVersion)
	if strings.ContainsFunc(version, func(r rune) bool { return r <= ' ' || r > '~' }) {
		version = ""
	}
	return version, own
}

// sight is one look at what a supervisor has written.
type sight struct {
	status.Record
	holder lock.State    // of the supervisor's lock
	note   treenote.Note // of our own tree; else zero
}

// look reads the record, and then what our own tree has written before it.
func (s *service) look(holder lock.State) (sight, error) {
	rec, err := s.record()
	v := sight{Record: rec, holder: holder}
	if err == nil && holder.OpenFile {
		v.note = s.note()
	}
	return v, err
}

// note is what our own tree says beside the record. One of a later version says
// nothing to us.
func (s *service) note() treenote.Note {
	b, err := s.dir.ReadStart(treenote.File, treenote.Max+1)
	if err != nil {
		return treenote.Note{}
	}
	n, err := treenote.Decode(b)
	if err != nil {
		return treenote.Note{}
	}
	return n
}

// ownSupervisor says whether the service is under our own tree.
func (s *service) ownSupervisor() bool {
	st, err := lock.Query(s.dir, servicedir.LockFile)
	return err == nil && st.OpenFile
}

// passing says whether a sight is true for an instant only: the process is gone
// and the next record not yet there, or a service that was given up has just
// been wanted up again.
func (s *service) passing(v sight) bool {
	if !v.holder.OpenFile {
		return vanished(v.Record, v.holder.PID)
	}
	return v.note.Failed && (v.WantUp || v.PID != 0) || s.gone(v.Record)
}

// gone says whether the process that a record of our own tree names is gone.
// Such a record may also be of a tree before, which a new one replaces once it
// knows what that has left.
func (s *service) gone(rec status.Record) bool {
	return rec.PID != 0 && errors.Is(unix.Kill(rec.PID, 0), unix.ESRCH) && s.pidsAreOurs()
}

// pidsAreOurs says whether the numbers of processes mean to the tree what they
// mean here: the sixth word of the instance record is the tree's pid namespace.
func (s *service) pidsAreOurs() bool {
	b, err := s.dir.ReadStart(servicedir.InstanceFile, 256)
	if err != nil {
		return false
	}
	words := strings.Fields(string(b))
	var st unix.Stat_t
	if len(words) < 6 || unix.Stat("/proc/self/ns/pid", &st) != nil {
		return false
	}
	return words[5] == strconv.FormatUint(st.Ino, 10)
}

// unknownExit is the problem of a service whose last process outlived its
// supervisor, where the kernel does not tell how it ended.
const unknownExit = "exit status unknown: it outlived its supervisor"

// ownState refines what a record says by what our own tree has written beside
// it.
func (s *service) ownState(st *sm.Status, v sight) {
	n := v.note
	st.Problem = orText(st.Problem, n.Problem)
	switch {
	case n.Failed && st.State != sm.StateDown && st.State != sm.StateFailed:
		st.State = sm.StateFailed // nobody supervises it: a fault of the tree
	case st.Running():
		st.Adopted = n.Adopted
	case n.Backoff && st.State == sm.StateStarting:
		st.State = sm.StateBackoff
		st.Problem = orText(st.Problem, "died") + "; the next start comes at " + clock(n.NextStart)
	case st.State == sm.StateStarting && n.Problem != "" && !n.NextStart.IsZero():
		st.Problem += "; the next try comes at " + clock(n.NextStart)
	case n.Failed && st.State == sm.StateDown && s.meantToEnd(st):
		st.Problem = "" // finish exited 125, as it should
	case n.Failed && st.State == sm.StateDown:
		st.State = sm.StateFailed
	}
}

// standsAlone says whether no new record follows a note: a start did not work,
// or nobody supervises the service.
func standsAlone(n treenote.Note) bool {
	return n.Failed || n.Problem != "" && n.Problem != unknownExit && !n.Backoff
}

// meantToEnd says whether the finish of a service that Register made has ended
// it as the Spec says, and not for a failure.
func (s *service) meantToEnd(st *sm.Status) bool {
	switch s.mark().Restart {
	case sm.RestartNever.String():
		return true
	case sm.RestartOnFailure.String():
		return st.LastExit != nil && st.LastExit.Signal == 0 && st.LastExit.Code == 0
	default:
		return false
	}
}

func orText(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// clock is a point in time for people. It says the same at every look.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// triedInVain says that our own tree could not start the service when it last
// tried, which was after was.
func (s *service) triedInVain(was treenote.Note) error {
	n := s.note()
	if n == was || n.Problem == "" || n.Failed || n.Backoff || n.NextStart.IsZero() {
		return nil
	}
	return notStarted(s.dir.Path("run"), n.Problem)
}

func notStarted(run, problem string) error {
	return sm.WithRemedy(fmt.Errorf("%s: %s", run, problem), "mend it, then start it again")
}
