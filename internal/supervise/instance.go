package supervise

import (
	"fmt"
	"strconv"
	"strings"
)

// Stage is what [Instance] says of a service's process.
type Stage uint8

const (
	// StageNone says: no process, and none is being made.
	StageNone Stage = iota
	// StageStarting says: a fork is under way. PID is 0 where it makes run, and
	// the pid of the dead run where it makes finish.
	StageStarting
	// StageRun says: run is PID.
	StageRun
	// StageFinish says: finish is PID.
	StageFinish
)

// Readiness is what [Instance] says of a run's readiness.
type Readiness uint8

const (
	// ReadyNone says: run announces no readiness.
	ReadyNone Readiness = iota
	// Unready says: run has not announced it yet.
	Unready
	// Ready says: it has.
	Ready
)

// Instance is what a supervisor leaves in writing so that, when it is killed,
// the next one finds the service's process and never starts a second. It is the
// content of supervise/instance, replaced by rename: StageStarting before a
// fork, StageRun or StageFinish right after it, StageNone after the process was
// reaped.
//
//	v1 STAGE PID STARTTICKS BOOTID PIDNS WANT READY
//
//	STAGE       none, starting, run or finish
//	PID         0 where there is none
//	STARTTICKS  of the process: field 22 of /proc/PID/stat
//	BOOTID      of the kernel that PID and STARTTICKS belong to; - if unknown
//	PIDNS       inode of the pid namespace that PID belongs to; - if unknown
//	WANT        up, down; stop or restart where the process is being stopped
//	            and is wanted down or up afterwards
//	READY       ready, unready; none where run announces none
type Instance struct {
	Stage  Stage
	PID    int    // 0 to 2^31-1
	Ticks  uint64 // 0 if unknown
	Host   Host
	WantUp bool
	Ending bool // it was asked to end
	Ready  Readiness
}

// Host says where a pid has a meaning. Neither word has blanks; empty means
// unknown.
type Host struct {
	BootID string
	PIDNS  string
}

// Words of the line.
const (
	instanceVersion = "v1"
	unknownWord     = "-"
	maxHostWord     = 64
	// MaxInstance is more than any line is long, in bytes.
	MaxInstance = 256
)

func stageWord(s Stage) string {
	return [...]string{"none", "starting", "run", "finish"}[s]
}

func readyWord(r Readiness) string {
	return [...]string{"none", "unready", "ready"}[r]
}

func wantWord(up, ending bool) string {
	switch {
	case up && ending:
		return "restart"
	case up:
		return "up"
	case ending:
		return "stop"
	default:
		return "down"
	}
}

// String is the line, with its newline.
func (in Instance) String() string {
	return fmt.Sprintf("%s %s %d %d %s %s %s %s\n", instanceVersion, stageWord(in.Stage), in.PID, in.Ticks,
		hostWord(in.Host.BootID), hostWord(in.Host.PIDNS), wantWord(in.WantUp, in.Ending), readyWord(in.Ready))
}

// hostWord keeps the line parseable whatever it is given.
func hostWord(s string) string {
	if !validHostWord(s) {
		return unknownWord
	}
	return s
}

func validHostWord(s string) bool {
	if s == "" || s == unknownWord || len(s) > maxHostWord {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// ParseInstance is the reverse of String. A line of another version, with
// another number of words or with words it does not know is an error: then
// nothing may be concluded from it, least of all that nothing survives.
func ParseInstance(line string) (Instance, error) {
	text, whole := strings.CutSuffix(line, "\n")
	words := strings.Split(text, " ")
	if !whole || len(words) != 8 || words[0] != instanceVersion {
		return Instance{}, fmt.Errorf("instance record %.60q is not one line of %s and seven words", line, instanceVersion)
	}
	var in Instance
	fields := []struct {
		name string
		ok   bool
	}{
		{"stage", parseStage(words[1], &in)},
		{"pid", parsePID(words[2], &in)},
		{"start ticks", parseTicks(words[3], &in)},
		{"boot id", parseHostWord(words[4], &in.Host.BootID)},
		{"pid namespace", parseHostWord(words[5], &in.Host.PIDNS)},
		{"wanted state", parseWant(words[6], &in)},
		{"readiness", parseReady(words[7], &in)},
	}
	for i, f := range fields {
		if !f.ok {
			return Instance{}, fmt.Errorf("instance record: %s %.60q is not understood", f.name, words[i+1])
		}
	}
	if (in.Stage == StageRun || in.Stage == StageFinish) && in.PID == 0 {
		return Instance{}, fmt.Errorf("instance record: stage %s without a pid", words[1])
	}
	return in, nil
}

func parseStage(word string, in *Instance) bool {
	for s := StageNone; s <= StageFinish; s++ {
		if stageWord(s) == word {
			in.Stage = s
			return true
		}
	}
	return false
}

func parseReady(word string, in *Instance) bool {
	for r := ReadyNone; r <= Ready; r++ {
		if readyWord(r) == word {
			in.Ready = r
			return true
		}
	}
	return false
}

func parseWant(word string, in *Instance) bool {
	for i := range 4 {
		if up, ending := i&1 != 0, i&2 != 0; wantWord(up, ending) == word {
			in.WantUp, in.Ending = up, ending
			return true
		}
	}
	return false
}

func parsePID(word string, in *Instance) bool {
	n, err := parseDecimal(word, 31)
	in.PID = int(n)
	return err == nil
}

func parseTicks(word string, in *Instance) (ok bool) {
	n, err := parseDecimal(word, 64)
	in.Ticks = n
	return err == nil
}

// parseDecimal takes what %d writes and nothing else.
func parseDecimal(word string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(word, 10, bits)
	if err == nil && strconv.FormatUint(n, 10) != word {
		err = strconv.ErrSyntax
	}
	return n, err
}

func parseHostWord(word string, to *string) bool {
	if word == unknownWord {
		return true
	}
	*to = word
	return validHostWord(word)
}
