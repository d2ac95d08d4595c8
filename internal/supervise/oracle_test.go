package supervise

import "time"

// oracle says what has to happen, in the words of the documents and without the
// table: the second opinion of the random test.
type oracle struct {
	world *fakeWorld // for files and for what cannot be started

	proc                         string // "", "run" or "finish"
	want, ready, paused, never   bool
	asked, announces, last, left bool
	unknown                      bool // the end of proc cannot be known
	downFile                     bool
	level                        int
	started, notBefore           time.Time
	due                          time.Time
	dueKind                      string
	events                       string
}

func (o *oracle) file(name string) (string, bool) { text, ok := o.world.files[name]; return text, ok }

func (o *oracle) has(name string) bool { _, ok := o.file(name); return ok }

func (o *oracle) millis(name string, otherwise time.Duration) time.Duration {
	text, ok := o.file(name)
	if n, good := parseNumber(text); ok && good {
		return time.Duration(n) * time.Millisecond
	}
	return otherwise
}

func (o *oracle) set(kind string, wait time.Duration) {
	o.due, o.dueKind = time.Now().Add(wait), kind
}

func (o *oracle) clear() { o.due, o.dueKind = time.Time{}, "" }

// begin is a new supervisor, after a clean end or a crash of the one before.
func (o *oracle) begin() {
	o.events += "s"
	o.last, o.left, o.level = false, false, 0
	o.clear()
	switch o.proc {
	case "run":
		o.asked = o.asked || o.announces && !o.ready
		o.announces, o.unknown = o.announces && !o.ready, true
		o.started = time.Now()
		o.notBefore = time.Time{}
		if o.ready {
			o.notBefore = time.Now().Add(restartDelay)
		}
		if o.asked {
			o.paused = false
			o.kill(endSurvivor)
		}
	case "finish":
		o.unknown, o.notBefore = true, time.Time{}
		o.endFinish()
	default:
		o.want, o.ready, o.never = !o.downFile, true, true
		o.asked, o.notBefore = false, time.Time{}
		if o.want {
			o.set("start", 0)
		}
	}
}

func (o *oracle) kill(otherwise time.Duration) {
	o.clear()
	wait := o.millis("timeout-kill", 0)
	if wait == 0 {
		wait = otherwise
	}
	if wait > 0 {
		o.set("kill", wait)
	}
}

func (o *oracle) endFinish() {
	o.clear()
	if wait := o.millis("timeout-finish", 5*time.Second); wait > 0 {
		o.set("finish", wait)
	}
}

func (o *oracle) start() {
	o.clear()
	if o.has("lock-fd") {
		return
	}
	if o.world.broken["start ./run"] != nil {
		if o.want {
			o.set("start", retryDelay)
		}
		return
	}
	o.proc, o.events = "run", o.events+"u"
	o.ready, o.paused, o.asked, o.unknown, o.never = false, false, false, false, false
	o.announces = o.has("notification-fd")
	o.started, o.notBefore = time.Now(), time.Time{}
}

func (o *oracle) leave() { o.left, o.events = true, o.events+"x"; o.clear() }

// command is one byte of supervise/control.
func (o *oracle) command(b byte) {
	if o.left {
		return
	}
	switch b {
	case 'u', 'U', 'o':
		if b == 'U' {
			o.downFile = false
		}
		o.want, o.never = b != 'o', false
		if o.proc == "" {
			o.level = 0
			o.start()
		}
	case 'd', 'D', 'O', 'Q':
		if b == 'D' || b == 'Q' {
			o.downFile = true
		}
		o.want, o.never = false, false
		switch {
		case o.proc == "":
			o.clear()
		case b == 'd' || b == 'D':
			o.stop()
		}
	case 'p', 'P', 'c', 'C':
		if o.proc == "run" {
			o.paused = b == 'p' || b == 'P'
		}
	case 'x':
		o.hangup()
	}
}

// stop is what d means to a process.
func (o *oracle) stop() {
	o.asked = true
	if o.proc == "run" {
		o.paused = false
		o.kill(0)
	}
}

func (o *oracle) hangup() {
	if o.proc == "" {
		o.leave()
	}
	o.last = true
}

func (o *oracle) signal(s Signal) {
	switch {
	case o.left:
	case s == Quit || s == Interrupt || o.proc == "":
		o.leave()
	case s == Terminate && o.proc == "run":
		o.last, o.want = true, false
		o.stop()
	default:
		o.last = true
	}
}

func (o *oracle) line() {
	if o.proc == "run" && o.announces && !o.unknown && !o.ready {
		o.ready, o.events = true, o.events+"U"
		o.notBefore = time.Now().Add(restartDelay)
	}
}

func (o *oracle) dies(exit Exit) {
	switch o.proc {
	case "run":
		if time.Since(o.started) >= time.Minute {
			o.level = 0
		}
		if !o.has("finish") || o.world.broken["start ./finish"] != nil {
			o.down("dD")
			return
		}
		o.proc, o.events = "finish", o.events+"d"
		o.ready, o.paused, o.unknown = false, false, false
		o.endFinish()
	case "finish":
		pardon := o.asked && o.want
		if !o.unknown && exit == Exited(125) && !pardon {
			o.want = false
			o.down("OD")
			return
		}
		o.down("D")
	}
}

func (o *oracle) down(events string) {
	o.proc, o.events = "", o.events+events
	o.ready, o.paused, o.announces, o.never = true, false, false, false
	o.clear()
	if o.last {
		o.leave()
		return
	}
	if !o.want {
		return
	}
	if o.has("backoff") && !o.asked { // always 1000 8000 in this test
		wait := min(time.Second<<o.level, 8*time.Second)
		if o.level < 3 {
			o.level++
		}
		o.set("start", wait)
		return
	}
	o.set("start", restartDelay)
	if !o.notBefore.IsZero() {
		o.due = o.notBefore
	}
}

// timer is what happens at due.
func (o *oracle) timer() {
	switch o.dueKind {
	case "start":
		o.start()
	case "kill", "finish":
		if o.dueKind == "kill" {
			o.paused = false
		}
		o.set(o.dueKind, killAgain)
	}
}

// flags is the record.
func (o *oracle) flags() string {
	s := Status{WantUp: o.want, Ready: o.ready, Paused: o.paused || o.never, Finishing: o.proc == "finish"}
	if o.proc != "" {
		s.PID = 1
	}
	return flags(s)
}
