package supervise

// move is what a cell of the table says. The zero value is a cell that nobody
// filled in.
type move uint8

const (
	unlisted move = iota
	ignore
	impossible

	tryRun
	wantUp
	wantUpNow
	wantUpFile
	wantUpFileNow
	once
	wantDown
	wantDownFile
	cancelPolicy
	cancelPolicyFile
	stop
	stopFile

	pass
	pause
	resume
	pauseGroup
	resumeGroup
	killGroup
	passDownSignal
	passReloadSignal

	exit
	interrupt
	exitAfter
	stopAndExit
	closeStdio

	buryRun
	buryFinish
	becomeReady
	escalate
	endFinish

	goUp
	retryLater
	adoptRun
	adoptFinish
	goFinish
	goDown

	numMoves
)

// String returns the word used in the table of the documentation.
func (m move) String() string {
	if m >= numMoves {
		return "unknown move"
	}
	return moveTexts[m].word
}

// explain is the sentence of the documentation.
func (m move) explain() string { return moveTexts[m].explain }

// moveTexts are the words of the table and the sentences below it.
var moveTexts = [numMoves]struct{ word, explain string }{
	unlisted:   {"?", ""},
	ignore:     {"-", "Nothing happens."},
	impossible: {"!", "Cannot happen: it would be a fault of this program, which shows it and begins anew from disk."},

	tryRun:           {"start", "`run` is started."},
	wantUp:           {"want up", "Wanted up from now on."},
	wantUpNow:        {"want up, start", "Wanted up, and started at once, whatever delay runs; the backoff begins anew."},
	wantUpFile:       {"rm down, want up", "The file `down` is removed; wanted up."},
	wantUpFileNow:    {"rm down, want up, start", "The file `down` is removed; wanted up and started at once."},
	once:             {"want down, start", "Wanted down, and started at once: it runs once."},
	wantDown:         {"want down", "Wanted down from now on; a process is let be, a delay that runs is forgotten."},
	wantDownFile:     {"mk down, want down", "The file `down` is made; wanted down, a process is let be."},
	cancelPolicy:     {"want down, pardon", "Wanted down. `finish` is let be; if the service is wanted up again before it ends, its exit code 125 does not count."},
	cancelPolicyFile: {"mk down, want down, pardon", "The file `down` is made; then as want down, pardon."},
	stop:             {"stop", "Wanted down: down-signal, CONT, and timeout-kill is armed. The death is no crash; if the service is wanted up again before it is complete, an exit code 125 of `finish` does not count."},
	stopFile:         {"mk down, stop", "The file `down` is made; then as stop."},

	pass:             {"signal", "The signal of the command is sent to the process."},
	pause:            {"STOP", "STOP to the process; shown as paused."},
	resume:           {"CONT", "CONT to the process; no longer paused."},
	pauseGroup:       {"STOP group", "STOP to the process group; shown as paused."},
	resumeGroup:      {"CONT group", "CONT to the process group; no longer paused."},
	killGroup:        {"KILL group", "KILL to the process group."},
	passDownSignal:   {"down-signal", "The down-signal (TERM) is sent; nothing else changes."},
	passReloadSignal: {"reload-signal", "The reload-signal (HUP) is sent."},

	exit:        {"leave", "Event `x`; the supervisor ends at once. A process is left running."},
	interrupt:   {"INT group, leave", "INT to the process group, event `x`; the supervisor ends at once."},
	exitAfter:   {"leave after", "The supervisor ends once the service is down; its stdin and stdout become /dev/null. The process is not signalled."},
	stopAndExit: {"stop, leave after", "As stop; the supervisor ends once the service is down."},
	closeStdio:  {"close stdio", "The supervisor's stdin and stdout become /dev/null."},

	buryRun:     {"bury, finish", "The death goes into the tally, the readiness pipe is closed, `finish` is started."},
	buryFinish:  {"end", "Events `D`, or `OD` if finish exited 125 (wanted down then); the restart delay or the backoff begins if the service is wanted up. In the last states: event `x`, the supervisor ends."},
	becomeReady: {"ready", "Ready from now on: event `U`."},
	escalate:    {"KILL", "KILL and CONT to the process (to its group with flag-timeout-killpg), again every 5 s."},
	endFinish:   {"KILL finish", "CONT and KILL to finish, again every 5 s."},

	goUp:        {"up", "The process exists: event `u`."},
	retryLater:  {"retry", "No event. If the service is wanted up it is tried again after 60 s, but where only a change of the directory can help: then at the next command."},
	adoptRun:    {"adopt", "A process of an earlier supervisor is watched as our own. One that was never ready, or was being stopped, is stopped."},
	adoptFinish: {"adopt finish", "The finish of an earlier supervisor is watched as our own."},
	goFinish:    {"finishing", "finish is at work: event `d`, timeout-finish is armed."},
	goDown:      {"end at once", "There is no finish: events `dD` in one write; then as end."},
}
