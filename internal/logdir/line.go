package logdir

// line runs the script on a line, or on a part of one: its beginning if start,
// its end if end. The parts of a line are seen by scripts without selections
// only.
func (l *Log) line(text []byte, start, end bool) {
	subject := text
	if l.selects {
		subject, l.latin = inLatin1(text, l.latin)
	}
	selected, acted := true, false
	for i := range l.elements {
		e := &l.elements[i]
		for j := range e.selections {
			selected = e.selections[j].apply(selected, acted, subject)
		}
		if !selected {
			continue
		}
		acted = true
		for j := range e.actions {
			l.act(&e.actions[j], text, start, end)
		}
	}
	l.stamp.step()
}

// apply answers whether a line is selected, which was selected or not, and has
// been acted on or not, before.
func (s *selection) apply(selected, acted bool, text []byte) bool {
	switch s.kind {
	case 'f':
		return !acted
	case '+':
		return selected || s.pattern.matches(text)
	default:
		return selected && !s.pattern.matches(text)
	}
}

func (l *Log) act(a *action, text []byte, start, end bool) {
	switch a.kind {
	case toDir:
		s := l.sinks[a.index]
		if s.out == nil {
			s.out = l.buffers.get()
		}
		s.out.b = l.format(s.out.b, a, text, start && !s.joins, end)
		s.joins = false
	case toStdout:
		if l.stdout == nil {
			return
		}
		if l.copy == nil {
			l.copy = l.buffers.get()
		}
		l.copy.b = l.format(l.copy.b, a, text, start, end)
	case toAlert:
		l.sendAlert(a, text)
	case toStatus:
		f := &l.status[a.index]
		f.next = l.format(f.next[:0], a, text, true, true)
		f.fit(a.size)
	}
}

// format appends a line as an action writes it.
func (l *Log) format(dst []byte, a *action, text []byte, start, end bool) []byte {
	if start {
		dst = l.head(dst, a)
	}
	dst = append(dst, text...)
	if end {
		dst = append(dst, '\n')
	}
	return dst
}

// head appends what comes before the text.
func (l *Log) head(dst []byte, a *action) []byte {
	if a.label {
		dst = l.stamp.label(dst)
	}
	if a.local {
		dst = l.stamp.local(dst)
	}
	return append(dst, a.prefix...)
}

// alertMark begins alerts, in the words of s6-log, as scripts may wait for
// them.
const alertMark = "s6-log: alert: "

// sendAlert writes an alert at once. Nothing can be done about an error.
func (l *Log) sendAlert(a *action, text []byte) {
	if l.stderr == nil {
		return
	}
	b := l.head(append(l.alert[:0], alertMark...), a)
	if len(text) > alertSize+len("...") {
		b = append(append(b, text[:alertSize]...), "..."...)
	} else {
		b = append(b, text...)
	}
	l.alert = append(b, '\n')
	_, _ = l.stderr.Write(l.alert)
}

// statusFile is a file that holds the last line.
type statusFile struct {
	path string
	next []byte // its content to be; empty: as it is
}

// fit makes the content exactly size bytes long, unless size is 0.
func (f *statusFile) fit(size uint64) {
	if size == 0 {
		return
	}
	for uint64(len(f.next)) < size {
		f.next = append(f.next, '\n')
	}
	f.next = f.next[:size]
}

func (f *statusFile) write() error {
	if len(f.next) == 0 {
		return nil
	}
	defer func() { f.next = f.next[:0] }()
	return writeStatus(f.path, f.next)
}
