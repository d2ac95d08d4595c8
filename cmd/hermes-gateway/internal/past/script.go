package past

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

// mostNested is how many scripts can interpret each other (execve(2)).
const mostNested = 4

// Script says why a script has nobody to interpret it; nil if it has, or is no
// script, or cannot be read by us.
func (im Image) Script(file string) *Finding { return im.script(file, file, mostNested) }

func (im Image) script(file, by string, depth int) *Finding {
	head, err := im.head(by)
	if err != nil || depth == 0 {
		return nil
	}
	interpreter, arg := shebang.Interpreter(head)
	if interpreter == "" {
		return nil
	}
	if im.absent(interpreter) {
		return &Finding{file, fmt.Sprintf("there is no %q to run it", interpreter), instead(interpreter)}
	}
	switch name := path.Base(interpreter); name {
	case withContenv:
		if im.isScript(interpreter) {
			return &Finding{file, interpreter + " is that of s6-overlay, and would take the container's environment away", instead(interpreter)}
		}
		fallthrough
	case "env":
		if plainWord(arg) && im.nowhere(arg) {
			return &Finding{file, fmt.Sprintf("there is no %q on PATH to run it", arg), instead(arg)}
		}
	}
	return im.script(file, interpreter, depth-1)
}

// instead is what to do about an interpreter that is not there.
func instead(interpreter string) string {
	switch name := path.Base(interpreter); {
	case strings.HasSuffix(name, "\r"):
		return "write it with line ends of Unix"
	case name == withContenv:
		return "link hermes-gateway to it: ln -sf /usr/bin/hermes-gateway " + interpreter
	case strings.HasPrefix(name, "execline"):
		return "install execline, or write it for /bin/sh"
	}
	return "install that, or write it for /bin/sh"
}

// plainWord is the name of a program, and nothing that the interpreter itself would
// understand.
func plainWord(arg string) bool {
	return arg != "" && !strings.HasPrefix(arg, "-") && !strings.ContainsAny(arg, " \t=")
}

// nowhere says that a program is nowhere on PATH.
func (im Image) nowhere(name string) bool {
	if strings.Contains(name, "/") {
		return im.absent(name)
	}
	for _, dir := range filepath.SplitList(WithCommands(im.Path)) {
		if !im.absent(path.Join("/", dir, name)) {
			return false
		}
	}
	return true
}

func (im Image) absent(file string) bool {
	_, err := im.stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

func (im Image) isScript(file string) bool {
	head, err := im.head(file)
	return err == nil && strings.HasPrefix(string(head), "#!")
}

// headOf reads at most so many bytes. A name that leads to a device or a FIFO is none.
func headOf(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(file + " is no file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
