package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// runcEngine makes containers with runc alone: each has a bundle, with a copy of the
// image's file system.
type runcEngine struct {
	dir   string // of bundles, and of what runc itself keeps
	count atomic.Int64
}

func (e *runcEngine) load(s source) (*image, error) {
	if e.dir == "" {
		dir, err := os.MkdirTemp("", "runc")
		if err != nil {
			return nil, err
		}
		e.dir = dir
	}
	root, err := s.root()
	return &image{s, root}, err
}

func (e *runcEngine) end() {
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}

func (e *runcEngine) runc(words ...string) *exec.Cmd {
	return exec.Command("runc", append([]string{"--root", filepath.Join(e.dir, "state")}, words...)...)
}

// bundle makes one, and returns its directory, whose name is the container's.
func (e *runcEngine) bundle(t testing.TB, i *image, o options, words []string) string {
	t.Helper()
	dir := filepath.Join(e.dir, fmt.Sprintf("hg-%d-%d", os.Getpid(), e.count.Add(1)))
	must(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, output(exec.Command("cp", "-a", i.ref, filepath.Join(dir, "rootfs"))))
	cmd := e.runc("spec")
	cmd.Dir = dir
	must(t, output(cmd))
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	must(t, err)
	var spec map[string]any
	must(t, json.Unmarshal(text, &spec))
	binds := map[string]string{}
	for _, volume := range i.volumes { // docker makes one of what the image has there
		binds[volume] = filepath.Join(dir, strings.ReplaceAll(volume, "/", "_"))
		must(t, output(exec.Command("cp", "-a", filepath.Join(dir, "rootfs", volume), binds[volume])))
	}
	for where, name := range o.shared {
		binds[where] = filepath.Join(e.dir, "shared-"+name)
		if _, err := os.Stat(binds[where]); err != nil {
			must(t, output(exec.Command("cp", "-a", filepath.Join(dir, "rootfs", where), binds[where])))
		}
	}
	if err := e.configure(spec, i, o, words, binds); err != nil {
		t.Fatal(err)
	}
	text, err = json.Marshal(spec)
	must(t, err)
	must(t, os.WriteFile(path, text, 0o644))
	return dir
}

type object = map[string]any

// dockersCapabilities are those that docker gives a container.
var dockersCapabilities = strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID
	CAP_SETUID CAP_SETFCAP CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE`)

// configure changes what runc spec gives to what docker would have made of it.
func (e *runcEngine) configure(spec object, i *image, o options, words []string, binds map[string]string) error {
	uid, err := strconv.Atoi(o.userID())
	if err != nil {
		return err
	}
	process := spec["process"].(object)
	entrypoint := i.entrypoint
	if len(o.entrypoint) > 0 {
		entrypoint = o.entrypoint
	}
	process["args"] = append(append([]string{}, entrypoint...), words...)
	process["env"] = append(append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, i.env...), o.env...)
	process["user"] = object{"uid": uid, "gid": groupOf(uid)}
	process["terminal"] = o.terminal
	process["noNewPrivileges"] = o.bare
	process["rlimits"] = []any{}
	if o.dir != "" {
		process["cwd"] = o.dir
	}
	bounding, has := dockersCapabilities, []string{}
	if o.bare {
		bounding = []string{}
	}
	if uid == 0 {
		has = bounding
	}
	process["capabilities"] = object{"bounding": bounding, "permitted": has, "effective": has, "inheritable": []string{}, "ambient": []string{}}
	spec["root"] = object{"path": "rootfs", "readonly": o.bare}
	mounts := spec["mounts"].([]any)
	for where, from := range binds {
		mounts = append(mounts, object{"destination": where, "type": "bind", "source": from, "options": []string{"rbind", "rw"}})
	}
	for _, mount := range o.tmpfs {
		where, settings, _ := strings.Cut(mount, ":")
		options := []string{"nosuid", "nodev", "noexec"}
		if settings != "" {
			options = append(options, strings.Split(settings, ",")...)
		}
		mounts = append(mounts, object{"destination": where, "type": "tmpfs", "source": "tmpfs", "options": options})
	}
	spec["mounts"] = mounts
	if o.beside == nil {
		return nil
	}
	pid, err := o.beside.(*runcContainer).first()
	for _, namespace := range spec["linux"].(object)["namespaces"].([]any) {
		if n := namespace.(object); n["type"] == "pid" {
			n["path"] = fmt.Sprintf("/proc/%d/ns/pid", pid)
		}
	}
	return err
}

// groupOf is that of the account in the images; docker gives a uid without one 0.
func groupOf(uid int) int {
	if uid == 10000 {
		return uid
	}
	return 0
}

func (e *runcEngine) run(t testing.TB, i *image, o options, words []string) result {
	t.Helper()
	dir := e.bundle(t, i, o, words)
	id := filepath.Base(dir)
	cmd := e.runc("run", "-b", dir, id)
	t.Cleanup(func() { _ = e.runc("delete", "-f", id).Run() }) // after a timeout only
	if o.terminal {
		return onTerminal(t, cmd)
	}
	return command(t, cmd)
}

func (e *runcEngine) start(t testing.TB, i *image, o options, words []string) container {
	t.Helper()
	dir := e.bundle(t, i, o, words)
	c := &runcContainer{t: t, engine: e, dir: dir, id: filepath.Base(dir), log: newStream()}
	t.Cleanup(func() {
		_ = e.runc("delete", "-f", c.id).Run()
		<-c.ended
	})
	c.begin()
	return c
}

// runcContainer is one whose runc stays, so that its exit code is known.
type runcContainer struct {
	t      testing.TB
	engine *runcEngine
	dir    string
	id     string
	log    *stream
	cmd    *exec.Cmd
	ended  chan struct{}
}

// begin returns when exec in the container is possible. runc tells nobody when that
// is: it is asked.
func (c *runcContainer) begin() {
	c.t.Helper()
	pidFile := filepath.Join(c.dir, "pid")
	_ = os.Remove(pidFile)
	c.cmd = c.engine.runc("run", "-b", c.dir, "--pid-file", pidFile, c.id)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	must(c.t, c.cmd.Start())
	ended := make(chan struct{})
	cmd := c.cmd
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	c.ended = ended
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(soon)
	for {
		var state struct{ Status string }
		var out bytes.Buffer
		ask := c.engine.runc("state", c.id)
		ask.Stdout = &out
		if ask.Run() == nil && json.Unmarshal(out.Bytes(), &state) == nil && state.Status == "running" {
			return
		}
		select {
		case <-c.ended:
			if cmd.ProcessState.ExitCode() != 0 {
				c.t.Fatalf("runc run: %v: %s", cmd.ProcessState, c.log)
			}
			return
		case <-late:
			c.t.Fatalf("it does not run: %s", c.log)
		case <-look.C:
		}
	}
}

// first is the pid that its first process has here.
func (c *runcContainer) first() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, "pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

func (c *runcContainer) output() *stream { return c.log }

func (c *runcContainer) exec(user string, words []string) result {
	c.t.Helper()
	uid, err := strconv.Atoi(user)
	must(c.t, err)
	return command(c.t, c.engine.runc(append([]string{"exec", "-u", fmt.Sprintf("%d:%d", uid, groupOf(uid)), c.id}, words...)...))
}

func (c *runcContainer) stop(within time.Duration) {
	c.t.Helper()
	for _, signal := range []string{"TERM", "KILL"} {
		if err := output(c.engine.runc("kill", c.id, signal)); err != nil && !c.isOver() {
			c.t.Fatal(err)
		}
		late := time.NewTimer(within)
		defer late.Stop()
		select {
		case <-c.ended:
			return
		case <-late.C:
			within = soon
		}
	}
	c.t.Fatal(errors.New("it does not end on KILL"))
}

func (c *runcContainer) isOver() bool {
	select {
	case <-c.ended:
		return true
	case <-time.After(soon):
		return false
	}
}

func (c *runcContainer) restart(within time.Duration) {
	c.t.Helper()
	c.stop(within)
	c.begin()
}

func (c *runcContainer) wait() int {
	c.t.Helper()
	if !c.isOver() {
		c.t.Fatalf("it does not end: %s", c.log)
	}
	return c.cmd.ProcessState.ExitCode()
}

func (c *runcContainer) top() []process {
	c.t.Helper()
	return parseTop(c.t, command(c.t, c.engine.runc("ps", c.id, "-eo", "pid,args")))
}
