package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// program is the name in messages and in the commands they suggest.
const program = "hermes-gateway"

// failure is one thing that did not work.
type failure struct {
	op      string // the command's name; "" where it was not about one
	name    string // as the person calls it
	service string // as the manager calls it, where that is known
	err     error
}

// errorRow is a failure in JSON.
type errorRow struct {
	Op      *string `json:"op"`
	Service *string `json:"service"`
	Code    string  `json:"code"`
	Reason  string  `json:"reason"`
	Remedy  *string `json:"remedy"`
}

func (f failure) row() errorRow {
	reason, remedy := f.text()
	service := f.service
	if service == "" {
		service = f.name
	}
	var about *servicemanager.Error
	if f.op == "" && errors.As(f.err, &about) {
		f.op, service = about.Op, about.Service
	}
	return errorRow{Op: orNull(f.op), Service: orNull(service), Code: classOf(f.err).word, Reason: reason, Remedy: orNull(remedy)}
}

// text returns what went wrong, and apart from it what to do. What the line
// says already, operation and service, is cut off in front.
func (f failure) text() (reason, remedy string) {
	text := f.err.Error()
	var about *servicemanager.Error
	if f.op != "" && errors.As(f.err, &about) {
		text = strings.TrimPrefix(text, strings.TrimSuffix(about.Error(), about.Err.Error()))
	}
	remedy = servicemanager.RemedyOf(f.err)
	return oneLine(strings.TrimSuffix(text, "; "+remedy)), oneLine(remedy)
}

func (f failure) line() string {
	reason, remedy := f.text()
	if remedy != "" {
		reason += "; " + remedy
	}
	if f.op == "" {
		return program + ": " + reason
	}
	act := f.op
	switch act {
	case "status":
		act = "tell the status of"
	case "wait":
		act = "wait for"
	case "logs":
		act = "read the log of"
	}
	if f.name != "" {
		act += " " + f.name
	} else {
		act = strings.TrimSuffix(act, " of")
	}
	return "✗ could not " + act + ": " + reason
}

// fail prints failures to standard error and returns the error that ends the
// command with the worst of their exit codes.
func (a *app) fail(failures ...failure) error {
	codes := make([]int, 0, len(failures))
	rows := make([]errorRow, 0, len(failures))
	for _, f := range failures {
		codes = append(codes, classOf(f.err).exit)
		rows = append(rows, f.row())
		if !a.wantsJSON() {
			a.printFailure(f)
		}
	}
	if a.wantsJSON() {
		doc := struct {
			Errors []errorRow `json:"errors"`
		}{rows}
		if err := writeJSON(a.proc.Err, doc); err != nil {
			return err
		}
	}
	return &exitError{worstExit(codes)}
}

func (a *app) printFailure(f failure) {
	fmt.Fprintln(a.proc.Err, a.red(a.proc.Err, f.line()))
}

// finish prints an error that no command has printed and returns the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if werr := a.out.err; werr != nil {
		if errors.Is(werr, syscall.EPIPE) || errors.Is(werr, io.ErrClosedPipe) {
			return exitDone // whoever read has seen enough
		}
		err = fmt.Errorf("write to standard output: %w", werr)
	}
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = &lateError{what: "interrupted", err: ctx.Err()}
	}
	var exit *exitError
	if !errors.As(err, &exit) && !errors.As(a.fail(failure{err: err}), &exit) {
		return exitFailed // standard error is gone as well
	}
	return exit.code
}

// done prints a result for people.
func (a *app) done(format string, args ...any) {
	if !a.flags.quiet && !a.wantsJSON() {
		fmt.Fprintln(a.out, a.green(a.proc.Out, "✓ "+oneLine(fmt.Sprintf(format, args...))))
	}
}

// advise prints a line that says what to do next.
func (a *app) advise(format string, args ...any) {
	if !a.flags.quiet && !a.wantsJSON() {
		fmt.Fprintln(a.out, "  "+oneLine(fmt.Sprintf(format, args...)))
	}
}

// sayf prints what --verbose asks for.
func (a *app) sayf(format string, args ...any) {
	if a.flags.verbose {
		fmt.Fprintln(a.proc.Err, program+": "+oneLine(fmt.Sprintf(format, args...)))
	}
}

// wantsJSON holds from the first word on, also before the flags are read.
func (a *app) wantsJSON() bool { return a.flags.json || a.jsonAsked }

func asksForJSON(args []string) bool {
	for _, w := range args {
		switch w {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}

// writeJSON prints one document on one line.
func writeJSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// oneLine keeps the promise that a message is a line, whatever a cause holds.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// command spells a command for people to copy: with the global flags of this
// command line that decide which service is meant.
func (a *app) command(words ...string) string {
	all := append([]string{program}, a.given...)
	for _, w := range words {
		all = append(all, shellWord(w))
	}
	return strings.Join(all, " ")
}

func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
