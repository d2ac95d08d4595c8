package smtest

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func logRules() []rule {
	rules := []rule{
		{name: "what a service writes is stored in order", check: func(s *suite) {
			spec := s.logged(Print(20, "line"))
			s.written(spec.Name, "line 20")
			s.wantLines(s.log(spec.Name, servicemanager.LogOptions{}), lines("line", 1, 20))
		}},
		{name: "a limit gives the last lines", check: func(s *suite) {
			spec := s.logged(Print(20, "line"))
			s.written(spec.Name, "line 20")
			s.wantLines(s.log(spec.Name, servicemanager.LogOptions{Lines: 3}), lines("line", 18, 20))
			s.wantLines(s.log(spec.Name, servicemanager.LogOptions{Lines: 1000}), lines("line", 1, 20))
		}},
		{name: "a time leaves out what was written before", check: logSince},
		{name: "following gives lines as they are written", check: logFollowed},
		{name: "the log goes on after a restart", check: logAfterRestart},
		{name: "closing the reader ends a read", check: logReaderClosed},
		{name: "the end of the context ends a read", check: logContextEnds},
		{name: "the log of a service that is down can be read", check: func(s *suite) {
			spec := s.logged(Print(1, "line"))
			s.written(spec.Name, "line 1")
			s.must(s.m.Stop(s.ctx(), spec.Name))
			s.wantLines(s.log(spec.Name, servicemanager.LogOptions{}), lines("line", 1, 1))
		}},
		{name: "the log of an absent service is ErrNotRegistered", check: func(s *suite) {
			name := s.newName()
			_, err := s.logs().Logs(s.ctx(), name, servicemanager.LogOptions{})
			s.refused(err, "logs", name, servicemanager.ErrNotRegistered)
		}},
	}
	for i := range rules {
		rules[i].needs = []servicemanager.Capability{servicemanager.CapLogs}
	}
	return rules
}

func logSince(s *suite) {
	spec := s.logged(Print(5, "old"), Await(sigTell), Print(5, "new"))
	s.written(spec.Name, "old 5")
	since := time.Now()
	s.signal(spec.Name, sigTell)
	s.written(spec.Name, "new 5")
	s.wantLines(s.log(spec.Name, servicemanager.LogOptions{Since: since}), lines("new", 1, 5))
	s.wantLines(s.log(spec.Name, servicemanager.LogOptions{Since: since, Lines: 2}), lines("new", 4, 5))
	s.wantLines(s.log(spec.Name, servicemanager.LogOptions{Since: time.Now().Add(time.Hour)}), nil)
}

func logFollowed(s *suite) {
	spec := s.logged(Print(2, "old"), Await(sigTell), Print(3, "new"), Await(sigTellAlso), Print(1, "last"))
	s.written(spec.Name, "old 2")
	log := s.open(s.ctx(), spec.Name, servicemanager.LogOptions{Follow: true, Lines: 1})
	s.wantLines(log.until("old 2"), lines("old", 2, 2))
	s.signal(spec.Name, sigTell)
	s.wantLines(log.until("new 3"), lines("new", 1, 3))
	s.signal(spec.Name, sigTellAlso)
	s.wantLines(log.until("last 1"), lines("last", 1, 1))
}

func logAfterRestart(s *suite) {
	spec := s.logged(Print(1, "life"))
	s.written(spec.Name, "life 1")
	log := s.open(s.ctx(), spec.Name, servicemanager.LogOptions{Follow: true})
	log.until("life 1")
	s.must(s.m.Restart(s.ctx(), spec.Name))
	log.until("life 1")
}

func logReaderClosed(s *suite) {
	spec := s.logged(Print(1, "line"))
	log := s.open(s.within(2*s.Patience), spec.Name, servicemanager.LogOptions{Follow: true})
	log.until("line 1")
	reading := s.beside(log.readOn)
	s.must(log.r.Close())
	s.receive(reading, "the read")
}

func logContextEnds(s *suite) {
	spec := s.logged(Print(1, "line"))
	ctx, cancel := context.WithCancel(s.ctx())
	log := s.open(ctx, spec.Name, servicemanager.LogOptions{Follow: true})
	log.until("line 1")
	reading := s.beside(log.readOn)
	cancel()
	s.receive(reading, "the read")
}

// logged adds a service whose output is stored, and waits for its program to
// run.
func (s *suite) logged(steps ...Step) servicemanager.Spec {
	s.t.Helper()
	spec := s.spec(steps...)
	spec.Log.Dir = filepath.Join(s.Dir, spec.Name)
	s.addWith("Log", spec)
	s.settled(spec.Name)
	return spec
}

func (s *suite) logs() servicemanager.LogReader {
	s.t.Helper()
	l, ok := servicemanager.As[servicemanager.LogReader](s.m)
	if !ok {
		s.t.Fatal("CapLogs is supported, but there is no LogReader")
	}
	return l
}

// openLog is a log that is being read line by line.
type openLog struct {
	s    *suite
	r    io.ReadCloser
	scan *bufio.Scanner
}

func (s *suite) open(ctx context.Context, name string, opts servicemanager.LogOptions) *openLog {
	s.t.Helper()
	r, err := s.logs().Logs(ctx, name, opts)
	if err != nil {
		s.t.Fatalf("Logs: %v", err)
	}
	s.t.Cleanup(func() { _ = r.Close() }) // perhaps closed already
	return &openLog{s, r, bufio.NewScanner(r)}
}

// until reads up to a line that ends in last; lines may begin with a stamp.
func (l *openLog) until(last string) []string {
	l.s.t.Helper()
	var got []string
	for l.scan.Scan() {
		got = append(got, l.scan.Text())
		if strings.HasSuffix(l.scan.Text(), last) {
			return got
		}
	}
	l.s.t.Fatalf("the log ended before %q came: %v; read so far: %q", last, l.scan.Err(), got)
	return nil
}

func (l *openLog) readOn() (servicemanager.Status, error) {
	for l.scan.Scan() {
		continue
	}
	return servicemanager.Status{}, l.scan.Err()
}

// written waits until a line is stored.
func (s *suite) written(name, last string) {
	s.t.Helper()
	log := s.open(s.ctx(), name, servicemanager.LogOptions{Follow: true})
	log.until(last)
	s.must(log.r.Close())
}

// log reads what is stored.
func (s *suite) log(name string, opts servicemanager.LogOptions) []string {
	s.t.Helper()
	log := s.open(s.ctx(), name, opts)
	var got []string
	for log.scan.Scan() {
		got = append(got, log.scan.Text())
	}
	s.must(log.scan.Err())
	return got
}

func lines(text string, from, to int) []string {
	var want []string
	for i := from; i <= to; i++ {
		want = append(want, numbered(text, i))
	}
	return want
}

// wantLines compares lines but for their stamps.
func (s *suite) wantLines(got, want []string) {
	s.t.Helper()
	if !slices.EqualFunc(got, want, strings.HasSuffix) {
		s.t.Errorf("lines %q, want, after their stamps, %q", got, want)
	}
}
