package container

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// dockerEngine is the docker engine of this machine.
type dockerEngine struct {
	label   string // of all that it makes
	images  []string
	volumes sync.Map // names
}

// docker runs the docker command.
func docker(t testing.TB, args ...string) result {
	t.Helper()
	return command(t, exec.Command("docker", args...))
}

// command runs one to its end, which it must come to soon.
func command(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = soon / 10
	must(t, cmd.Start())
	late := time.AfterFunc(soon, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait()
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func (e *dockerEngine) load(s source) (*image, error) {
	if e.label == "" {
		id := make([]byte, 6)
		_, _ = rand.Read(id)
		e.label = "hermes-gateway-test-" + hex.EncodeToString(id)
	}
	if ready := os.Getenv("HERMES_TEST_IMAGE"); ready != "" && s.context != nil {
		return &image{s, ready}, nil
	}
	tag := e.label + ":" + s.name
	e.images = append(e.images, tag)
	if s.context != nil { // it has a Dockerfile
		dir, err := s.context()
		if err != nil {
			return nil, err
		}
		// The first stage would else be an image that nobody can name, and remove.
		stage := tag + "-root"
		e.images = append(e.images, stage)
		if err := output(exec.Command("docker", "build", "-q", "--target", "root", "-t", stage, dir)); err != nil {
			return nil, err
		}
		return &image{s, tag}, output(exec.Command("docker", "build", "-q", "-t", tag, dir))
	}
	root, err := s.root()
	if err != nil {
		return nil, err
	}
	layer := filepath.Join(filepath.Dir(root), s.name+".tar")
	if err := output(exec.Command("tar", "-C", root, "--owner=0", "--group=0", "-cf", layer, ".")); err != nil {
		return nil, err
	}
	args := []string{"import", "--change", "ENTRYPOINT " + quoted(s.entrypoint)}
	for _, entry := range s.env {
		args = append(args, "--change", "ENV "+entry)
	}
	return &image{s, tag}, output(exec.Command("docker", append(args, layer, tag)...))
}

func quoted(words []string) string {
	var list []string
	for _, w := range words {
		list = append(list, strconv.Quote(w))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// output is the failure of a command, with what it said.
func output(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w: %s", cmd.Args, err, out)
	}
	return nil
}

// args are those of docker run, after its own.
func (e *dockerEngine) args(i *image, o options, words []string) []string {
	args := []string{"--label", e.label, "--network", "none", "-u", o.userID()}
	for _, entry := range o.env {
		args = append(args, "-e", entry)
	}
	if o.dir != "" {
		args = append(args, "-w", o.dir)
	}
	if o.terminal {
		args = append(args, "-i", "-t")
	}
	if o.bare {
		args = append(args, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
	}
	for _, mount := range o.tmpfs {
		args = append(args, "--tmpfs", mount)
	}
	for where, name := range o.shared { // a volume, as the engine may have another file system
		args = append(args, "-v", e.label+"-"+name+":"+where)
		e.volumes.Store(e.label+"-"+name, true)
	}
	if o.beside != nil {
		args = append(args, "--pid", "container:"+o.beside.(*dockerContainer).id)
	}
	if len(o.entrypoint) > 0 {
		args = append(args, "--entrypoint", o.entrypoint[0])
		words = append(append([]string{}, o.entrypoint[1:]...), words...)
	}
	return append(append(args, i.ref), words...)
}

func (e *dockerEngine) run(t testing.TB, i *image, o options, words []string) result {
	t.Helper()
	cmd := exec.Command("docker", append([]string{"run", "--rm"}, e.args(i, o, words)...)...)
	if o.terminal {
		return onTerminal(t, cmd)
	}
	return command(t, cmd)
}

func (e *dockerEngine) start(t testing.TB, i *image, o options, words []string) container {
	t.Helper()
	r := docker(t, append([]string{"run", "-d"}, e.args(i, o, words)...)...)
	if r.code != 0 {
		t.Fatalf("docker run: %+v", r)
	}
	c := &dockerContainer{t: t, id: strings.TrimSpace(r.out)}
	t.Cleanup(func() {
		docker(t, "rm", "-f", "-v", c.id)
		c.unfollow()
	})
	c.follow()
	return c
}

// end removes the images, and containers whose docker run took too long: it was
// killed, but not they.
func (e *dockerEngine) end() {
	if e.label == "" {
		return
	}
	left, _ := exec.Command("docker", "ps", "-aq", "--filter", "label="+e.label).Output()
	for _, id := range strings.Fields(string(left)) {
		_ = exec.Command("docker", "rm", "-f", "-v", id).Run()
	}
	for _, tag := range e.images {
		_ = exec.Command("docker", "rmi", "-f", tag).Run()
	}
	e.volumes.Range(func(name, _ any) bool {
		_ = exec.Command("docker", "volume", "rm", "-f", name.(string)).Run()
		return true
	})
}

type dockerContainer struct {
	t      testing.TB
	id     string
	log    *stream
	reader *exec.Cmd
}

// follow reads what the container prints, of all its lives.
func (c *dockerContainer) follow() {
	c.t.Helper()
	c.log = newStream()
	c.reader = exec.Command("docker", "logs", "-f", c.id)
	c.reader.Stdout, c.reader.Stderr = c.log, c.log
	must(c.t, c.reader.Start())
}

// unfollow ends the reader, which ends with the container, too.
func (c *dockerContainer) unfollow() {
	_ = c.reader.Process.Kill()
	_ = c.reader.Wait()
}

func (c *dockerContainer) output() *stream { return c.log }

func (c *dockerContainer) exec(user string, words []string) result {
	c.t.Helper()
	return docker(c.t, append([]string{"exec", "-u", user, c.id}, words...)...)
}

func (c *dockerContainer) stop(within time.Duration) {
	c.t.Helper()
	if r := docker(c.t, "stop", "-t", seconds(within), c.id); r.code != 0 {
		c.t.Fatalf("docker stop: %+v", r)
	}
}

func (c *dockerContainer) restart(within time.Duration) {
	c.t.Helper()
	if r := docker(c.t, "restart", "-t", seconds(within), c.id); r.code != 0 {
		c.t.Fatalf("docker restart: %+v", r)
	}
	c.unfollow()
	c.follow()
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func (c *dockerContainer) wait() int {
	c.t.Helper()
	r := docker(c.t, "wait", c.id)
	code, err := strconv.Atoi(strings.TrimSpace(r.out))
	if err != nil {
		c.t.Fatalf("docker wait: %+v", r)
	}
	return code
}

func (c *dockerContainer) top() []process {
	c.t.Helper()
	return parseTop(c.t, docker(c.t, "top", c.id, "-eo", "pid,args"))
}

// parseTop reads what ps prints, with a line of titles.
func parseTop(t testing.TB, r result) []process {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("ps: %+v", r)
	}
	var all []process
	for line := range strings.Lines(r.out) {
		pid, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(pid); err == nil {
			all = append(all, process{n, strings.TrimSpace(args)})
		}
	}
	return all
}
