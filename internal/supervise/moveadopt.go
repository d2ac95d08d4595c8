package supervise

// takeRun makes a run that outlived its supervisor ours, as the records tell
// of it.
func (t *turn) takeRun() {
	found := t.event.found
	t.take(found)
	t.phase = phaseUp
	t.started = t.event.at
	t.paused = found.known() && found.Last.Paused
	t.ready = found.Instance.Ready == Ready
	t.announces = found.Instance.Ready == Unready
	t.asked = found.mustEnd()
	if t.ready {
		t.notBefore = t.event.at.Add(restartDelay)
	}
}

// takeFinish does the same for a finish.
func (t *turn) takeFinish() {
	t.take(t.event.found)
	t.phase = phaseFinish
	t.ready = false
	t.asked = t.event.found.Instance.Ending
}

func (t *turn) take(found *Survivor) {
	t.pid = found.Child.PID()
	t.note = Note{Adopted: true}
	t.stamp, t.notBefore = t.event.at, noTime
	if found.known() {
		t.stamp, t.readyStamp, t.last = found.Last.Stamp, found.Last.ReadyStamp, exitOf(found.Last.Wait)
	}
}

// settleSurvivor goes on with what was under way. A run that was never ready
// can no longer tell us that it is: its pipe died with its supervisor. So it is
// ended, and started anew where it is wanted.
func (t *turn) settleSurvivor() {
	switch {
	case t.phase == phaseFinish:
		t.add(action{kind: doArmFinish})
	case t.event.found.mustEnd():
		t.ask()
		t.publish()
		t.add(action{kind: doArmKill, wait: endSurvivor})
	default:
		t.disarm()
	}
}
