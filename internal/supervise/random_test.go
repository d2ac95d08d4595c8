package supervise

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// player plays random events to an engine, without a goroutine of its own: the
// engine handles each before the next one comes.
type player struct {
	t     *testing.T
	rand  *rand.Rand
	world *fakeWorld
	e     *engine
	o     *oracle
	moves []string
	mail  mailbox
}

// seed is printed where a random test fails; SUPERVISE_SEED repeats it.
func seed(t *testing.T) uint64 {
	s := uint64(time.Now().UnixNano())
	if text := os.Getenv("SUPERVISE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s = n
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("SUPERVISE_SEED=%d", s)
		}
	})
	return s
}

// sequences is how many lives the random tests play.
func sequences(most int) int {
	if testing.Short() || underRace { // a single goroutine has no races
		return most / 20
	}
	return most
}

// Random lives, event by event beside a second opinion: the same events, the
// same record, and nothing that must never be.
func TestRandomLives(t *testing.T) {
	first := seed(t)
	synctest.Test(t, func(t *testing.T) {
		for i := range sequences(100_000) {
			p := newPlayer(t, first+uint64(i))
			p.begin()
			for range 5 + p.rand.IntN(30) {
				p.move()
				if !p.same() {
					t.Fatalf("sequence %d: %s", i, strings.Join(p.moves, ", "))
				}
			}
			p.e.end()
		}
	})
}

func newPlayer(t *testing.T, seed uint64) *player {
	w := newWorld(nil)
	w.quiet = true
	p := &player{t: t, rand: rand.New(rand.NewPCG(seed, 1)), world: w, o: &oracle{world: w}}
	for _, name := range []string{"finish", "notification-fd", "backoff", "timeout-kill", "timeout-finish", "down"} {
		if p.rand.IntN(2) == 0 {
			p.toggle(name)
		}
	}
	_, p.o.downFile = w.files["down"]
	return p
}

// begin starts a supervisor on what the one before has left.
func (p *player) begin() {
	p.mail = mailbox{wake: make(chan struct{}, 1)}
	cfg := p.world.config()
	p.e = &engine{Config: &cfg, mail: &p.mail}
	p.e.settings = settings{files: p.world, warn: p.e.warnf}
	p.o.begin()
	if err := p.e.begin(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	p.settle()
}

// settle lets both do what is due.
func (p *player) settle() {
	for !p.e.left && p.e.poll(p.t.Context()) {
	}
	for !p.o.due.IsZero() && !p.o.due.After(time.Now()) {
		p.o.timer()
	}
}

func (p *player) toggle(name string) {
	if _, ok := p.world.files[name]; ok {
		delete(p.world.files, name)
		return
	}
	p.world.files[name] = map[string]string{
		"notification-fd": "3", "backoff": "1000 8000\n", "timeout-kill": "3000", "timeout-finish": "2000",
	}[name]
}

// move plays one event to both.
func (p *player) move() {
	switch n := p.rand.IntN(100); {
	case p.o.left || n < 4:
		p.crash()
	case n < 45:
		p.command()
	case n < 48:
		s := Signal(p.rand.IntN(4))
		p.note("signal %d", int(s))
		p.e.mail.putSignal(s)
		p.o.signal(s)
		p.settle()
	case n < 65:
		p.death(p.rand.IntN(2) == 0)
	case n < 72:
		p.note("line")
		p.say(p.rand.IntN(4) > 0)
		p.settle()
	case n < 90:
		p.pass(time.Duration(1+p.rand.IntN(70)) * []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second}[p.rand.IntN(3)])
	case n < 96:
		name := []string{"finish", "notification-fd", "backoff", "timeout-kill", "timeout-finish", "lock-fd"}[p.rand.IntN(6)]
		p.note("toggle %s", name)
		p.toggle(name)
	default:
		name := []string{"start ./run", "start ./finish"}[p.rand.IntN(2)]
		p.note("toggle %s", name)
		if p.world.broken[name] == nil {
			p.world.broken[name] = errBroken
		} else {
			delete(p.world.broken, name)
		}
	}
}

func (p *player) note(format string, args ...any) {
	p.moves = append(p.moves, fmt.Sprintf(format, args...))
}

func (p *player) command() {
	burst := make([]byte, 1+p.rand.IntN(3))
	for i := range burst {
		const often = "udoUDOQpcPC"
		burst[i] = often[p.rand.IntN(len(often))]
		if p.rand.IntN(10) == 0 {
			burst[i] = (commands + "\nZ")[p.rand.IntN(len(commands)+2)]
		}
	}
	p.note("%s", burst)
	p.e.mail.put(burst)
	for _, b := range burst {
		p.o.command(b)
	}
	p.settle()
}

func (p *player) alive() *fakeChild {
	for _, c := range p.world.children {
		if !c.dead {
			return c
		}
	}
	return nil
}

// say is what run writes to its pipe.
func (p *player) say(line bool) {
	c := p.alive()
	if c == nil || c.ready == nil || c.closed {
		return
	}
	c.ready <- line
	if line {
		p.o.line()
	}
}

// death ends the process, sometimes just after it said that it is ready.
func (p *player) death(ready bool) {
	c := p.alive()
	if c == nil {
		return
	}
	if ready {
		p.say(true)
	}
	exit := []Exit{Exited(0), Exited(1), Exited(125), Killed(int(syscall.SIGKILL))}[p.rand.IntN(4)]
	p.note("%s dies of %#x", c.path, exit.Wait)
	p.o.dies(exit)
	if c.adopted {
		exit = Exit{Unknown: true}
	}
	p.world.end(c, exit)
	p.settle()
}

// pass lets time go by, timer by timer.
func (p *player) pass(d time.Duration) {
	p.note("%v", d)
	end := time.Now().Add(d)
	for {
		next := end
		for _, due := range []time.Time{p.o.due, p.e.due} {
			if !due.IsZero() && due.Before(next) && due.After(time.Now()) {
				next = due
			}
		}
		<-time.After(time.Until(next))
		p.settle()
		if !next.Before(end) {
			return
		}
	}
}

// crash is the death of the supervisor, or its next start where it has left.
func (p *player) crash() {
	p.note("new supervisor")
	p.e.end()
	p.world.inherit()
	p.begin()
}

// inherit makes what is alive the survivor for the next supervisor, as the
// instance record tells of it.
func (w *fakeWorld) inherit() {
	w.events = ""
	living := w.alive()
	w.children = nil
	if len(living) == 0 {
		return
	}
	old, in := living[0], w.instance
	known := in.Stage != StageNone && in.PID == old.pid && in.Ticks == old.Ticks()
	if in.Stage == StageStarting { // and what of it is being made can be told
		known = (in.PID != 0) == (old.path == "./finish")
	}
	if len(living) > 1 || !known {
		w.fail("%d processes, the first is %s %d, and the record says %v", len(living), old.path, old.pid, in)
	}
	c := &fakeChild{pid: old.pid, path: old.path, world: w, exit: make(chan Exit, 1), adopted: true}
	w.children = append(w.children, c)
	w.survivor = &Survivor{Instance: in, Child: c, Last: w.status}
}

// same compares the engine with the second opinion.
func (p *player) same() bool {
	_, file := p.world.files["down"]
	switch got, want := flags(p.world.status), p.o.flags(); {
	case len(p.world.wrong) > 0:
		p.t.Error(strings.Join(p.world.wrong, "\n"))
	case p.world.events != p.o.eventsOfThis():
		p.t.Errorf("events %q, want %q", p.world.events, p.o.eventsOfThis())
	case got != want && !p.o.left:
		p.t.Errorf("record %q, want %q", got, want)
	case file != p.o.downFile:
		p.t.Errorf("file down: %v, want %v", file, p.o.downFile)
	case p.e.armed != !p.o.due.IsZero():
		p.t.Errorf("%v is due: %v; want %q", p.e.what, p.e.armed, p.o.dueKind) // an idle service has no timer
	case p.e.left != p.o.left:
		p.t.Errorf("left: %v, want %v", p.e.left, p.o.left)
	default:
		return true
	}
	return false
}

// eventsOfThis is the events of the present supervisor.
func (o *oracle) eventsOfThis() string { return o.events[strings.LastIndex(o.events, "s"):] }
