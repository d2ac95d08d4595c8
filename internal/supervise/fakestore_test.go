package supervise

import "strings"

// The Store of a fakeWorld.

func (w *fakeWorld) WriteStatus(s Status) error {
	w.enter("status")
	defer w.mu.Unlock()
	if err := w.broken["status"]; err != nil {
		return err
	}
	w.status = s
	w.statuses++
	w.write("status %s", flags(s))
	w.change()
	return nil
}

// flags is a record in short.
func flags(s Status) string {
	word := "down"
	switch {
	case s.Finishing:
		word = "finishing"
	case s.PID != 0:
		word = "up"
	}
	for _, f := range []struct {
		on   bool
		word string
	}{{s.WantUp, "want"}, {s.Ready, "ready"}, {s.Paused, "paused"}} {
		if f.on {
			word += " " + f.word
		}
	}
	return word
}

func (w *fakeWorld) WriteNote(n Note) error {
	w.enter("note")
	defer w.mu.Unlock()
	if err := w.broken["note"]; err != nil {
		return err
	}
	w.note = n
	var words []string
	if n.Adopted {
		words = append(words, "adopted")
	}
	if n.Backoff {
		words = append(words, "backoff")
	}
	if n.Failed {
		words = append(words, "failed")
	}
	if n.Problem != "" {
		words = append(words, "problem")
	}
	w.write("note %s", strings.Join(words, " "))
	return nil
}

func (w *fakeWorld) WriteInstance(in Instance) error {
	w.enter("instance")
	defer w.mu.Unlock()
	if err := w.broken["instance"]; err != nil {
		return err
	}
	w.instance = in
	w.write("instance %s %s", stageWord(in.Stage), wantWord(in.WantUp, in.Ending))
	return nil
}

func (w *fakeWorld) AddDeath(d Death, keep int) error {
	w.enter("tally")
	defer w.mu.Unlock()
	if err := w.broken["tally"]; err != nil {
		return err
	}
	if keep <= 0 {
		w.fail("a tally of %d is kept", keep)
	}
	w.deaths = append(w.deaths, d)
	if len(w.deaths) > keep {
		w.deaths = w.deaths[len(w.deaths)-keep:]
	}
	w.write("tally")
	return nil
}

func (w *fakeWorld) ClearDeaths() error {
	w.enter("clear")
	defer w.mu.Unlock()
	w.deaths = nil
	return w.broken["tally"]
}

func (w *fakeWorld) SetDown(down bool) error {
	w.enter("down")
	defer w.mu.Unlock()
	if err := w.broken["down"]; err != nil {
		return err
	}
	if down {
		w.files["down"] = ""
	} else {
		delete(w.files, "down")
	}
	return nil
}

// Notify also holds the record against the event: a listener that reads it now
// has to find what the event says.
func (w *fakeWorld) Notify(events string) {
	w.enter("notify")
	defer w.mu.Unlock()
	s := w.status
	ok := true
	switch events {
	case "s", "x":
	case "u":
		ok = s.PID != 0 && !s.Finishing && !s.Ready && w.instance.Stage == StageRun && w.instance.PID == s.PID
	case "U":
		ok = s.PID != 0 && !s.Finishing && s.Ready && w.instance.Ready == Ready
	case "d":
		ok = s.PID != 0 && s.Finishing && !s.Ready && w.instance.Stage == StageFinish && w.instance.PID == s.PID
	case "D", "dD", "OD":
		ok = s.PID == 0 && !s.Finishing && s.Ready && w.instance.Stage == StageNone
		ok = ok && (events != "OD" || !s.WantUp)
	default:
		ok = false
	}
	if !ok && w.broken["instance"] == nil && w.broken["status"] == nil {
		w.fail("event %s with the record %s, pid %d and the instance %v", events, flags(s), s.PID, w.instance)
	}
	w.events += events
	w.write("event %s", events)
	w.change()
}
