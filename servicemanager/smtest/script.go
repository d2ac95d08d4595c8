package smtest

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sigTerm is the default stop signal.
const sigTerm = syscall.SIGTERM

// action is a Step as the program, and the fake, read it from an argv.
type action struct {
	verb  string
	sig   syscall.Signal // on, ignore, await
	code  int            // on, exit
	delay time.Duration  // on
	count int            // print, announce-fd
	text  string         // print, report, hello
}

func isProgram(argv []string) bool { return len(argv) > 1 && argv[1] == marker }

// parseScript reads the argv of a Program.
func parseScript(argv []string) ([]action, error) {
	script := []action{} // not nil: a program without steps is one
	for _, word := range argv[2:] {
		verb, operands, _ := strings.Cut(word, "=")
		if verb == "args" {
			break
		}
		a, err := parseAction(verb, operands)
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", word, err)
		}
		script = append(script, a)
	}
	return script, nil
}

func parseAction(verb, operands string) (action, error) {
	a := action{verb: verb}
	var err error
	switch verb {
	case "notify", "announce":
	case "hello", "report":
		a.text = operands
	case "exit":
		a.code, err = strconv.Atoi(operands)
	case "announce-fd":
		a.count, err = strconv.Atoi(operands)
	case "print":
		count, line, _ := strings.Cut(operands, ",")
		a.text = line
		a.count, err = strconv.Atoi(count)
	case "ignore", "await":
		a.sig, err = parseSignal(operands)
	case "on":
		words := strings.Split(operands, ",")
		if len(words) != 3 {
			return a, fmt.Errorf("%d operands, want 3", len(words))
		}
		if a.sig, err = parseSignal(words[0]); err != nil {
			return a, err
		}
		if a.code, err = strconv.Atoi(words[1]); err != nil {
			return a, err
		}
		a.delay, err = time.ParseDuration(words[2])
	default:
		return a, fmt.Errorf("no such verb")
	}
	return a, err
}

func parseSignal(s string) (syscall.Signal, error) {
	n, err := strconv.Atoi(s)
	return syscall.Signal(n), err
}

// reactions are what a program does on signals, as its script has arranged so
// far.
type reactions map[syscall.Signal]action

func newReactions(script []action) reactions {
	r := reactions{
		sigTerm:     {verb: "on", sig: sigTerm},
		sigTell:     {verb: "await", sig: sigTell},
		sigTellAlso: {verb: "await", sig: sigTellAlso},
	}
	for _, a := range script {
		if a.verb == "await" {
			r[a.sig] = a
		}
	}
	return r
}

// handled are the signals that a script says something about.
func handled(script []action) []syscall.Signal {
	sigs := []syscall.Signal{sigTerm, sigTell, sigTellAlso}
	for _, a := range script {
		if a.sig != 0 {
			sigs = append(sigs, a.sig)
		}
	}
	return sigs
}
