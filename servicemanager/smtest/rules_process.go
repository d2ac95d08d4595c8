package smtest

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Values that quoting, substitution or text tools could spoil. Each is used as
// an argument and as the value of a variable.
func hostileValues() []string {
	return []string{
		"", " ", "a b", " both ends ", "tab\there", "new\nline", "\n", "ends in newline\n", "cr\r\n",
		"'", "''", "it's", `"`, `""`, `'"'"'`, "`id`", "$HOME", "${HOME}", "$(id)", "$$", "$", `\`, `\\`, `\n`, `a\`, "%", "%%", "%s%n", "%h",
		"*", "?", "[a]", "~", "~root", "!", "!!", "#", "# x", ";", "&", "|", "<", ">", "(", ")", "{a,b}", "=", "a=b", "-", "--", "-n",
		"ünïcödé ☃", "\u2028", "\x01\x02\x1b[31m\x7f", strings.Repeat("long ", 20000),
	}
}

// undecodable are values that are no text at all.
func undecodable() []string { return []string{"\xff", "a\xffb", "\xc3\x28", "\x80\x81\xfe"} }

func processRules() []rule {
	rules := []rule{
		{name: "arguments arrive byte for byte", check: func(s *suite) { s.argumentsArrive("", hostileValues()) }},
		{name: "arguments that are no text arrive byte for byte", check: func(s *suite) { s.argumentsArrive("Command bytes", undecodable()) }},
		{name: "variables arrive byte for byte", check: func(s *suite) { s.variablesArrive("Env", hostileValues()) }},
		{name: "variables that are no text arrive byte for byte", check: func(s *suite) { s.variablesArrive("Env bytes", undecodable()) }},
		{name: "variables are read from a file at every start", check: environmentFile},
		{name: "the working directory is the root", check: func(s *suite) {
			if r := s.report("", nil); r.Dir != "/" {
				s.t.Errorf("the working directory is %q", r.Dir)
			}
		}},
		{name: "the working directory is the spec's", check: workingDirectory},
		{name: "the user is the one the supervisor runs as, or the spec's", check: userAndGroup},
		{name: "the limit of descriptors is the spec's", check: func(s *suite) {
			r := s.report("Limits.NoFile", func(sp *servicemanager.Spec) { sp.Limits.NoFile = 123 })
			if r.NoFile != 0 && r.NoFile != 123 {
				s.t.Errorf("the limit is %d, want 123", r.NoFile)
			}
		}},
		{name: "no descriptors but the standard ones are open", check: func(s *suite) {
			s.wantFiles(s.report("", nil), 0, 1, 2)
		}},
		{name: "no signals are blocked or ignored", check: signalsAreDefault},
		{name: "the environment is the same after a restart", check: sameEnvironment},
	}
	for i, r := range rules {
		rules[i].check = func(s *suite) {
			if s.Fake {
				s.t.Skip("a fake has no processes")
			}
			r.check(s)
		}
	}
	return rules
}

func workingDirectory(s *suite) {
	dir, err := filepath.EvalSymlinks(openDir(s.t))
	s.must(err)
	odd := filepath.Join(dir, "it's $HOME \\ %h")
	s.must(os.Mkdir(odd, 0o755))
	if r := s.report("Dir", func(sp *servicemanager.Spec) { sp.Dir = odd }); r.Dir != odd {
		s.t.Errorf("the working directory is %q, want %q", r.Dir, odd)
	}
}

func userAndGroup(s *suite) {
	plain := s.report("", nil)
	ids := strconv.Itoa(plain.UID) + ":" + strconv.Itoa(plain.GID)
	named := s.report("User", func(sp *servicemanager.Spec) { sp.User = ids })
	if named.UID != plain.UID || named.GID != plain.GID {
		s.t.Errorf("ran as %d:%d, want %s", named.UID, named.GID, ids)
	}
}

func signalsAreDefault(s *suite) {
	for _, line := range s.report("", nil).Signals {
		for _, name := range []string{"SigBlk: ", "SigIgn: "} {
			hex, ok := strings.CutPrefix(line, name)
			if !ok || slices.Contains(takeReport().Signals, line) {
				continue
			}
			if mask, err := strconv.ParseUint(hex, 16, 64); err != nil || mask&^libcSignals != 0 {
				s.t.Error(line)
			}
		}
	}
}

func sameEnvironment(s *suite) {
	dir := s.reportDir()
	spec := s.spec(WriteReport(dir))
	spec.Env = map[string]string{"A": "1"}
	s.add(spec)
	s.settled(spec.Name)
	first, err := ReadReport(dir)
	s.must(err)
	s.must(s.m.Restart(s.ctx(), spec.Name))
	s.settled(spec.Name)
	second, err := ReadReport(dir)
	s.must(err)
	slices.Sort(first.Env)
	slices.Sort(second.Env)
	if !slices.Equal(first.Env, second.Env) {
		s.t.Errorf("first %q\nthen %q", first.Env, second.Env)
	}
}

func (s *suite) reportDir() string {
	s.t.Helper()
	dir, err := os.MkdirTemp(s.Dir, "report-")
	s.must(err)
	s.must(os.Chmod(dir, 0o777))
	return dir
}

// report runs a service and returns what its process was given. A field that
// is set may be refused, unless it has no name.
func (s *suite) report(field string, set func(*servicemanager.Spec), more ...Step) Report {
	s.t.Helper()
	dir := s.reportDir()
	spec := s.spec(append([]Step{WriteReport(dir)}, more...)...)
	if set != nil {
		set(&spec)
	}
	if field == "" {
		s.add(spec)
	} else {
		s.addWith(field, spec)
	}
	s.settled(spec.Name)
	r, err := ReadReport(dir)
	s.must(err)
	return r
}

func (s *suite) argumentsArrive(field string, want []string) {
	s.t.Helper()
	got := s.report(field, nil, Args(want...)).Args
	if len(got) != len(want) {
		s.t.Fatalf("%d arguments arrived, want %d: %q", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Errorf("%.60q arrived as %.60q", want[i], got[i])
		}
	}
}

func (s *suite) variablesArrive(field string, values []string) {
	s.t.Helper()
	env := map[string]string{}
	for i, v := range values {
		env["SMTEST_"+strconv.Itoa(i)] = v
	}
	got := s.report(field, func(sp *servicemanager.Spec) { sp.Env = env })
	for k, v := range env {
		s.wantVariable(got, k, v)
	}
}

func (s *suite) wantVariable(r Report, key, want string) {
	s.t.Helper()
	found := 0
	for _, kv := range r.Env {
		if value, ok := strings.CutPrefix(kv, key+"="); ok {
			found++
			if value != want {
				s.t.Errorf("%s is %.80q, want %.80q", key, value, want)
			}
		}
	}
	if found != 1 {
		s.t.Errorf("%s is there %d times, want once", key, found)
	}
}

func environmentFile(s *suite) {
	file := filepath.Join(openDir(s.t), "env")
	write := func(text string) { s.must(os.WriteFile(file, []byte(text), 0o600)) }
	write("# comment\n\nPLAIN=1\nQUOTED=\"it's\" $HOME \\ # x\nEMPTY=\nBOTH=file\nEQUALS=a=b\n")
	dir := s.reportDir()
	spec := s.spec(WriteReport(dir))
	spec.EnvFile = file
	spec.Env = map[string]string{"BOTH": "spec"}
	s.addWith("EnvFile", spec)
	s.settled(spec.Name)
	r, err := ReadReport(dir)
	s.must(err)
	for key, want := range map[string]string{"PLAIN": "1", "QUOTED": `"it's" $HOME \ # x`, "EMPTY": "", "BOTH": "spec", "EQUALS": "a=b"} {
		s.wantVariable(r, key, want)
	}
	write("PLAIN=2\n")
	s.must(s.m.Restart(s.ctx(), spec.Name))
	s.settled(spec.Name)
	r, err = ReadReport(dir)
	s.must(err)
	s.wantVariable(r, "PLAIN", "2")
}

// wantFiles compares open descriptors. Those that the tests were started with
// are nobody's fault.
func (s *suite) wantFiles(r Report, want ...int) {
	s.t.Helper()
	ours := takeReport().Files
	for _, file := range r.Files {
		word, _, _ := strings.Cut(file, " ")
		if fd, err := strconv.Atoi(word); err != nil || !slices.Contains(want, fd) && !slices.Contains(ours, file) {
			s.t.Errorf("descriptor %s is open", file)
		}
	}
}

// libcSignals are signals 32 and 33, which glibc keeps for itself: its
// posix_spawn leaves them ignored in the child, and no program can change it.
const libcSignals = 1<<31 | 1<<32
