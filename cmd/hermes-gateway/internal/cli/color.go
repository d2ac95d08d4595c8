package cli

import (
	"io"
	"os"
)

const (
	ansiRed   = "\x1b[31m"
	ansiGreen = "\x1b[32m"
	ansiReset = "\x1b[0m"
)

func (a *app) red(w io.Writer, line string) string   { return a.paint(w, ansiRed, "✗", line) }
func (a *app) green(w io.Writer, line string) string { return a.paint(w, ansiGreen, "✓", line) }

// paint colours the mark that begins a line, on terminals and without NO_COLOR.
func (a *app) paint(w io.Writer, color, mark, line string) string {
	if len(line) < len(mark) || line[:len(mark)] != mark || a.getenv("NO_COLOR") != "" || !a.isTerminal(w) {
		return line
	}
	return color + mark + ansiReset + line[len(mark):]
}

// isTerminal says whether w is a terminal that understands escape sequences.
func (a *app) isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	term := a.getenv("TERM")
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && term != "" && term != "dumb"
}
