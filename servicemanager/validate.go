package servicemanager

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxString is the longest single argument or variable Linux passes to a
// program (MAX_ARG_STRLEN, 32 pages, less the NUL).
const maxString = 131071

// Normalize checks a Spec and returns the copy that backends work with:
// Command[0] absolute, Dir and Log.Dir clean, nothing shared with the
// original. Errors: *SpecError.
func (s Spec) Normalize() (Spec, error) {
	for _, check := range []func() error{
		func() error { return CheckName(s.Name) },
		s.checkText, s.checkCommand, s.checkEnv, s.checkPaths, s.checkPolicy, s.checkStop, s.checkLog,
	} {
		if err := check(); err != nil {
			return Spec{}, err
		}
	}
	path, err := absCommand(s.Command[0])
	if err != nil {
		return Spec{}, err
	}
	s.Command = slices.Clone(s.Command)
	s.Command[0] = path
	s.Env = maps.Clone(s.Env)
	s.After = slices.Clone(s.After)
	s.FatalExitCodes = slices.Clone(s.FatalExitCodes)
	slices.Sort(s.FatalExitCodes)
	s.FatalExitCodes = slices.Compact(s.FatalExitCodes)
	s.Dir = cleanPath(s.Dir)
	s.EnvFile = cleanPath(s.EnvFile)
	s.Log.Dir = cleanPath(s.Log.Dir)
	return s, nil
}

func cleanPath(p string) string {
	if p == "" {
		return ""
	}
	return filepath.Clean(p)
}

func (s Spec) checkText() error {
	if !utf8.ValidString(s.Description) || strings.ContainsFunc(s.Description, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return &SpecError{Field: "Description", Reason: "is not one line of UTF-8 text"}
	}
	if strings.ContainsFunc(s.User, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }) ||
		strings.Count(s.User, ":") > 1 || strings.HasPrefix(s.User, ":") || strings.HasSuffix(s.User, ":") || strings.HasPrefix(s.User, "-") {
		return &SpecError{Field: "User", Value: s.User, Reason: "is not NAME, NAME:GROUP, UID or UID:GID"}
	}
	for _, a := range s.After {
		if p := nameProblem(a); p != "" {
			return &SpecError{Field: "After", Value: a, Reason: p}
		}
		if a == s.Name {
			return &SpecError{Field: "After", Value: a, Reason: "is the service itself"}
		}
	}
	return nil
}

func (s Spec) checkCommand() error {
	if len(s.Command) == 0 || s.Command[0] == "" {
		return &SpecError{Field: "Command", Reason: "is empty"}
	}
	for i, a := range s.Command {
		field := fmt.Sprintf("Command[%d]", i)
		if p := stringProblem(a); p != "" {
			return &SpecError{Field: field, Reason: p}
		}
	}
	return nil
}

func (s Spec) checkEnv() error {
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		if !ValidEnvKey(k) {
			return &SpecError{Field: "Env", Value: k, Reason: "is not a variable name ([A-Za-z_][A-Za-z0-9_]*)"}
		}
		if p := stringProblem(k + "=" + s.Env[k]); p != "" {
			return &SpecError{Field: "Env[" + k + "]", Reason: p}
		}
	}
	return nil
}

func stringProblem(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		return "contains a NUL byte, which no program can receive"
	}
	if len(s) > maxString {
		return fmt.Sprintf("has %d bytes, a program can receive %d", len(s), maxString)
	}
	return ""
}

func (s Spec) checkPaths() error {
	for _, p := range []struct{ field, path string }{{"Dir", s.Dir}, {"EnvFile", s.EnvFile}, {"Log.Dir", s.Log.Dir}} {
		if p.path == "" {
			continue
		}
		if strings.IndexByte(p.path, 0) >= 0 {
			return &SpecError{Field: p.field, Reason: "contains a NUL byte"}
		}
		if !filepath.IsAbs(p.path) {
			return &SpecError{Field: p.field, Value: p.path, Reason: "is not an absolute path"}
		}
	}
	return nil
}

func (s Spec) checkPolicy() error {
	if s.Restart < RestartAlways || s.Restart > RestartNever {
		return &SpecError{Field: "Restart", Reason: "is none of always, on-failure, never"}
	}
	if s.Boot < BootAuto || s.Boot > BootManual {
		return &SpecError{Field: "Boot", Reason: "is neither BootAuto nor BootManual"}
	}
	for _, c := range s.FatalExitCodes {
		if c < 1 || c > 255 {
			return &SpecError{Field: "FatalExitCodes", Value: itoa(c), Reason: "is not between 1 and 255 (for 0 use RestartOnFailure)"}
		}
	}
	if s.RestartDelay < 0 || s.RestartMaxDelay < 0 {
		return &SpecError{Field: "RestartDelay", Reason: "is negative"}
	}
	if base, most := orDefault(s.RestartDelay, DefaultRestartDelay), orDefault(s.RestartMaxDelay, DefaultRestartMaxDelay); most < base {
		return &SpecError{Field: "RestartMaxDelay", Value: most.String(), Reason: "is less than the restart delay of " + base.String()}
	}
	return nil
}

func (s Spec) checkStop() error {
	if s.StopTimeout < 0 {
		return &SpecError{Field: "StopTimeout", Value: s.StopTimeout.String(), Reason: "is negative"}
	}
	if s.StopTimeout > 0 && s.StopTimeout < time.Millisecond {
		return &SpecError{Field: "StopTimeout", Value: s.StopTimeout.String(), Reason: "is less than a millisecond"}
	}
	if s.StopSignal < 0 || s.StopSignal > 64 {
		return &SpecError{Field: "StopSignal", Value: itoa(int(s.StopSignal)), Reason: "is not a signal number"}
	}
	if s.Ready < ReadyNone || s.Ready > ReadyNotify {
		return &SpecError{Field: "Ready", Reason: "is neither ReadyNone nor ReadyNotify"}
	}
	if s.ReadyFD != 0 && (s.ReadyFD < 3 || s.ReadyFD > 1023) {
		return &SpecError{Field: "ReadyFD", Value: itoa(s.ReadyFD), Reason: "is not 0 (none) or between 3 and 1023"}
	}
	if s.ReadyFD != 0 && s.Ready != ReadyNone {
		return &SpecError{Field: "ReadyFD", Value: itoa(s.ReadyFD), Reason: "cannot be combined with Ready; use one of them"}
	}
	return nil
}

func (s Spec) checkLog() error {
	l := s.Log
	if l.Dir == "" && l != (LogSpec{}) {
		return &SpecError{Field: "Log.Dir", Reason: "is empty while other log settings are given"}
	}
	if l.MaxFiles < 0 {
		return &SpecError{Field: "Log.MaxFiles", Value: itoa(l.MaxFiles), Reason: "is negative"}
	}
	if l.MaxBytes != 0 && (l.MaxBytes < 4096 || l.MaxBytes > 268435455) {
		return &SpecError{Field: "Log.MaxBytes", Value: fmt.Sprint(l.MaxBytes), Reason: "is not between 4096 and 268435455"}
	}
	if l.Timestamps < TimestampISO || l.Timestamps > TimestampNone {
		return &SpecError{Field: "Log.Timestamps", Reason: "is none of the known forms"}
	}
	return nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// absCommand resolves the program the way a shell would and makes the result
// absolute; links are kept, so that an upgrade behind a link takes effect.
func absCommand(word string) (string, error) {
	path, err := exec.LookPath(word)
	if err != nil {
		return "", &SpecError{Field: "Command", Value: word, Reason: "cannot be run: " + lookPathReason(word, err)}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", &SpecError{Field: "Command", Value: word, Reason: "has no absolute path: " + err.Error()}
	}
	return abs, nil
}

func lookPathReason(word string, err error) string {
	if !strings.ContainsRune(word, filepath.Separator) && !strings.ContainsRune(word, '/') {
		return "no executable of that name in PATH"
	}
	info, serr := os.Stat(word)
	switch {
	case serr != nil && os.IsNotExist(serr):
		return "no such file"
	case serr == nil && info.IsDir():
		return "it is a directory"
	case serr == nil:
		return "it is not executable (chmod +x)"
	}
	return err.Error()
}
