// Package shebang reads the first line of a script as the kernel does.
package shebang

import "bytes"

// HeadSize is how much of a file the kernel looks at, in bytes (BINPRM_BUF_SIZE).
const HeadSize = 256

// Interpreter is what the first line of a script has executed: a path, and all that
// comes after it as one argument, empty if there is none. The path is empty where
// head does not begin a script.
//
// Source: execve(2), Linux fs/binfmt_script.c.
func Interpreter(head []byte) (path, arg string) {
	text, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", ""
	}
	if end := bytes.IndexAny(text, "\n\x00"); end >= 0 {
		text = text[:end]
	}
	text = bytes.Trim(text, " \t")
	if at := bytes.IndexAny(text, " \t"); at >= 0 {
		return string(text[:at]), string(bytes.TrimLeft(text[at:], " \t"))
	}
	return string(text), ""
}
