package main

import (
	"errors"
	"io"
	"os"
)

// orphanWord makes this program a parent that leaves at once, and with another
// word the child that it leaves behind.
const orphanWord = "standin-orphan"

// leaveOrphans makes n processes without a parent, and returns when all have
// ended: each holds the one end of a pipe.
func leaveOrphans(n int) error {
	end, held, err := os.Pipe()
	if err != nil {
		return err
	}
	defer end.Close()
	for range n {
		p, perr := again(held, orphanWord)
		if perr != nil {
			err = perr
			break
		}
		_, _ = p.Wait()
	}
	held.Close()
	_, rerr := io.Copy(io.Discard, end)
	return errors.Join(err, rerr)
}

func orphan(words []string) {
	if len(words) > 0 {
		return
	}
	held := os.NewFile(3, "held")
	if _, err := again(held, orphanWord, "child"); err != nil {
		os.Exit(1)
	}
}

// again starts this program with other words, and the pipe as descriptor 3.
func again(held *os.File, words ...string) (*os.Process, error) {
	return os.StartProcess("/proc/self/exe", append([]string{"hermes"}, words...), &os.ProcAttr{Files: []*os.File{nil, nil, nil, held}})
}
