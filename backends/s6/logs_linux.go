package s6

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logread"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Logs reads the log directory of the service's logger: the one that
// registration wrote down, else the one that the running logger was started
// with.
func (m *manager) Logs(ctx context.Context, name string, opts sm.LogOptions) (io.ReadCloser, error) {
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return nil, m.fail("logs", name, err)
	}
	r, err := m.openLog(ctx, name, opts)
	if err != nil {
		leave()
		return nil, m.fail("logs", name, err)
	}
	return &logReader{ReadCloser: r, leave: sync.OnceFunc(leave)}, nil
}

func (m *manager) openLog(ctx context.Context, name string, opts sm.LogOptions) (io.ReadCloser, error) {
	s, err := m.service(name)
	if err != nil {
		return nil, err
	}
	defer s.close()
	dir, err := s.logDir()
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) && !opts.Follow {
		return io.NopCloser(strings.NewReader("")), nil // its logger has not begun: nothing was written
	}
	return logread.Open(ctx, dir, logread.Options{Lines: opts.Lines, Since: opts.Since, Follow: opts.Follow})
}

// logReader gives the manager back when it is closed.
type logReader struct {
	io.ReadCloser
	leave func()
}

func (r *logReader) Close() error {
	defer r.leave()
	return r.ReadCloser.Close()
}

func (s *service) logDir() (string, error) {
	b, err := s.dir.ReadFile(servicedir.Directives, 64<<10)
	if err == nil {
		if dir, ok := servicedir.ParseDirectives(servicedir.DirectiveLines(string(b))); ok {
			if !filepath.IsAbs(dir) { // a logger runs in its own servicedir
				dir = filepath.Join(s.dir.Path("log"), dir)
			}
			return filepath.Clean(dir), nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
		return "", err
	}
	return s.runningLogDir()
}

// runningLogDir asks the kernel what the logger was started with.
func (s *service) runningLogDir() (string, error) {
	none := sm.WithRemedy(fmt.Errorf("its output is in no log directory that is known: %w", sm.ErrNotSupported),
		"register it with a log directory, or read the supervisor's own output")
	log, err := s.dir.Sub("log")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return "", none
	}
	if err != nil {
		return "", err
	}
	defer log.Close()
	logger := &service{m: s.m, name: s.name, dir: log}
	held, err := logger.supervised()
	if err != nil {
		return "", err
	}
	rec, err := logger.record()
	if err != nil || !held || rec.PID == 0 || rec.Finishing {
		return "", none
	}
	proc := filepath.Join("/proc", strconv.Itoa(rec.PID))
	cmdline, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil {
		return "", none
	}
	var words []string
	for i, w := range bytes.Split(bytes.TrimSuffix(cmdline, []byte{0}), []byte{0}) {
		if i > 0 {
			words = append(words, string(w))
		}
	}
	dir, ok := servicedir.ParseDirectives(words)
	if !ok {
		return "", none
	}
	if !filepath.IsAbs(dir) {
		cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
		if err != nil {
			return "", err
		}
		dir = filepath.Join(cwd, dir)
	}
	// A script has the path of itself among its words.
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return "", none
	}
	return filepath.Clean(dir), nil
}
