// Package role says what a process of this program is to be. It imports next to
// nothing, as that is asked before the other packages are initialised.
package role

import "strings"

// Role is what a process is.
type Role uint8

// The roles. All but Command have nothing to do with the packages of that one.
const (
	Command       Role = iota // what people type
	ExecGateway               // becomes a user, and then a program
	ExecListening             // becomes a program, with sockets that are for it
	ExecWords                 // the interpreter of a oneshot
	Main                      // becomes what the words of a container ask for
	Log                       // the logger alone
	LogPool                   // the log process of a tree
	Svscan                    // the tree
	Init                      // the first process of a container
	PastInit                  // the same, called as s6-overlay's is
	Tini                      // the same, called as tini is
	Beneath                   // PID 1 without being an init: it runs below one
	WithContenv               // becomes a program, with what hooks left for it
	SetUIDGID                 // s6-setuidgid
	ApplyUIDGID               // s6-applyuidgid
)

// IsInit says whether a role takes the signals of the process from the beginning.
func (r Role) IsInit() bool { return r == Init || r == PastInit || r == Tini || r == Beneath }

// Of is the role of a process that was started with these words, its own name
// first, as this pid.
func Of(args []string, pid int) Role {
	if len(args) == 0 {
		return Command
	}
	if r := called(Name(args[0])); r != Command {
		return r
	}
	r := Command
	if len(args) > 1 {
		r = asked(args[1])
	}
	if pid == 1 && !r.IsInit() && r != Svscan && lasts(args[1:]) {
		return Beneath
	}
	return r
}

// Name is what a program was called, without directories.
func Name(argv0 string) string { return argv0[strings.LastIndexByte(argv0, '/')+1:] }

// called is the role that the program's own name gives it.
func called(name string) Role {
	switch name {
	case "init":
		return PastInit
	case "tini", "tini-static":
		return Tini
	case "with-contenv":
		return WithContenv
	case "s6-setuidgid":
		return SetUIDGID
	case "s6-applyuidgid":
		return ApplyUIDGID
	}
	return Command
}

func asked(word string) Role {
	switch word {
	case "exec-gateway":
		return ExecGateway
	case "exec-listening":
		return ExecListening
	case "exec-words":
		return ExecWords
	case "main":
		return Main
	case "log":
		return Log
	case "log-pool":
		return LogPool
	case "svscan":
		return Svscan
	case "init":
		return Init
	}
	return Command
}

// lasts says whether a command is one that runs until somebody ends it. A wrong
// yes costs a process and a line of text, a wrong no costs the orphans.
func lasts(args []string) bool {
	for _, word := range args {
		switch word {
		case "--":
			return false
		case "run", "main", "log", "wait", "exec-gateway", "--watch", "--follow", "-f":
			return true
		}
	}
	return false
}
