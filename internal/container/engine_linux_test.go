package container

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// soon bounds everything that happens at once on an idle machine.
const soon = 60 * time.Second

// engine makes containers. There are two: the same cases run with both.
type engine interface {
	// load makes an image of a file system that makeRoot has made.
	load(s source) (*image, error)
	// run runs a container to its end.
	run(t testing.TB, i *image, o options, words []string) result
	// start starts one and returns.
	start(t testing.TB, i *image, o options, words []string) container
	// end removes all that the engine has made.
	end()
}

// options are those of a container, like docker's. The zero value is uid 10000 with
// docker's capabilities, and a root that can be written.
type options struct {
	user       string
	env        []string
	dir        string
	entrypoint []string
	terminal   bool
	// bare: read-only root, no capability, no new privileges.
	bare bool
	// tmpfs are directories with mount options: "/run:mode=755".
	tmpfs []string
	// shared are directories of the container that others may have too, by name.
	shared map[string]string
	// beside shares the process namespace of another container.
	beside container
}

func (o options) userID() string {
	if o.user == "" {
		return "10000"
	}
	return o.user
}

type result struct {
	out, err string
	code     int
}

// container is one that was started.
type container interface {
	exec(user string, words []string) result
	// stop sends TERM, and KILL when the time is over.
	stop(within time.Duration)
	// restart does so, and starts the container again with the file system it has.
	restart(within time.Duration)
	// wait returns the exit code.
	wait() int
	// output is what it has printed, before a restart too.
	output() *stream
	// top tells its processes, with the ids they have here.
	top() []process
}

type process struct {
	pid  int
	args string
}

// image is one that an engine has made.
type image struct {
	source
	ref string // how the engine calls it, or where its file system is
}

// choice is the engine that tests use: CONTAINER_ENGINE, else docker where an engine
// answers, else runc. A problem says why there is none.
type choice struct {
	engine  engine
	problem string
}

var chosen = sync.OnceValue(func() choice {
	asked := os.Getenv("CONTAINER_ENGINE")
	dockers, runcs := dockerProblem(), runcProblem()
	switch {
	case asked == "docker", asked == "" && dockers == "":
		return choice{theDocker, dockers}
	case asked == "runc", asked == "" && runcs == "":
		return choice{theRunc, runcs}
	case asked == "":
		return choice{problem: dockers + "; " + runcs}
	}
	return choice{problem: fmt.Sprintf("CONTAINER_ENGINE=%s is neither docker nor runc", asked)}
})

// theDocker and theRunc have made something only if a test has asked them to.
var (
	theDocker = &dockerEngine{}
	theRunc   = &runcEngine{}
)

func dockerProblem() string {
	if out, err := exec.Command("docker", "version", "--format", "{{.Server.Os}}").CombinedOutput(); err != nil {
		return fmt.Sprintf("no docker engine answers: %v, %s", err, out)
	}
	return ""
}

func runcProblem() string {
	if _, err := exec.LookPath("runc"); err != nil {
		return "runc is not installed (apt-get install runc)"
	}
	if os.Geteuid() != 0 {
		return "only root can use runc"
	}
	return ""
}

// usable skips a test without an engine, or fails it where real parts are required.
func (c choice) usable(t testing.TB) engine {
	t.Helper()
	if testing.Short() {
		t.Skip("makes containers")
	}
	if c.problem != "" {
		s6test.Missing(t, c.problem)
	}
	return c.engine
}

// rig is an image on an engine.
type rig struct {
	t      testing.TB
	engine engine
	image  *image
}

// on loads an image, once for each engine.
func on(t testing.TB, c choice, s source) rig {
	t.Helper()
	e := c.usable(t)
	loaded.Lock()
	defer loaded.Unlock()
	key := loadKey{e, s.name}
	if loaded.images[key] == nil {
		i, err := e.load(s)
		if err != nil {
			t.Fatalf("image %s: %v", s.name, err)
		}
		loaded.images[key] = i
	}
	return rig{t, e, loaded.images[key]}
}

type loadKey struct {
	engine engine
	name   string
}

var loaded = struct {
	sync.Mutex
	images map[loadKey]*image
}{images: map[loadKey]*image{}}

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // tests wait for processes most of the time
		_ = flag.Set("test.parallel", "4")
	}
	code := m.Run()
	theDocker.end()
	theRunc.end()
	removeRoots()
	os.Exit(code)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
