package s6

import (
	"path"
	"slices"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// This file keeps deaths that were asked for out of the exit policy. All of it
// is best effort: who may only send commands cannot write in the servicedir,
// and then the policy is applied by what the scripts can see.

// askFor tells finish, and whoever reads the status afterwards, that the coming
// death was asked for. It holds for that process only; undo takes it back where
// the request could not be made. Where nobody waits for the death, finish takes it out of
// the tally, else settle does.
func (s *service) askFor(before sm.Status, act sm.Act) (undo func()) {
	if !before.Running() || !s.registered() {
		return func() {}
	}
	if s.dir.Replace(servicedir.AskedFile, []byte(servicedir.Asked(before.PID, act.NoWait)), 0o644) != nil {
		return func() {}
	}
	return func() { s.forget(servicedir.AskedFile) }
}

// wasAsked says whether the last death was asked for.
func (s *service) wasAsked() bool {
	asked, err := s.dir.ReadFile(servicedir.AskedFile, 64)
	if err != nil {
		return false
	}
	life, err := s.dir.ReadFile(servicedir.LifeFile, 64)
	if err != nil {
		return false
	}
	whose := strings.Fields(string(asked))
	return len(whose) > 0 && whose[0] == strings.TrimSpace(string(life))
}

// settle takes a death that was asked for out of the tally: the first one since
// that life began.
func (s *service) settle(before sm.Status) {
	if !before.Running() || !s.registered() {
		return
	}
	tally, err := s.tally()
	if err != nil {
		return
	}
	i := slices.IndexFunc(tally, func(d status.Death) bool { return !d.At.Before(before.Since) })
	if i >= 0 {
		s.replaceTally(slices.Delete(tally, i, i+1))
	}
}

// forgive wipes the slate for a start that a person asked for: the cap counts
// anew, and the reason of an earlier failure is gone.
func (s *service) forgive() {
	if !s.registered() {
		return
	}
	s.forget(servicedir.ParkedFile)
	s.replaceTally(nil)
}

// forgetFailure lets a service that finish has just given up be started again.
func (s *service) forgetFailure() {
	if s.registered() {
		s.forget(servicedir.ParkedFile)
	}
}

// forget removes one of our files. Its directory is opened first: unlinking by
// a path of two elements would follow a link in the first.
func (s *service) forget(name string) {
	dir, err := s.dir.Sub(path.Dir(name))
	if err != nil {
		return
	}
	defer dir.Close()
	_ = dir.Remove(path.Base(name))
}

func (s *service) replaceTally(deaths []status.Death) {
	var b []byte
	for _, d := range deaths {
		b = d.Append(b)
	}
	if len(b) == 0 && s.deaths() == 0 {
		return
	}
	_ = s.dir.Replace(servicedir.TallyFile, b, 0o644)
}
