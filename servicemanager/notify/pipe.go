package notify

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// inheritedPipe takes over the descriptor that NOTIFY_FD names. A descriptor
// that is not what the supervisor would have set is left alone: the variable
// may be a leftover, and the number may meanwhile be a file of this program.
func inheritedPipe(word string) (*os.File, error) {
	fd, err := strconv.Atoi(word)
	if err != nil || fd < 3 {
		err = errors.New("it is not a descriptor number of 3 or more")
	} else {
		err = checkPipe(fd)
	}
	if err != nil {
		return nil, fmt.Errorf("notify: cannot announce readiness on NOTIFY_FD %q: %w; unset it, or let it equal the service's notification-fd", word, err)
	}
	setCloseOnExec(fd)
	return os.NewFile(uintptr(fd), "NOTIFY_FD"), nil
}

// sendNewline is s6's announcement: one newline, then the descriptor is closed
// so that the supervisor need not watch it any longer.
func sendNewline(pipe *os.File) error {
	_, err := pipe.WriteString("\n")
	if cerr := pipe.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("notify: cannot announce readiness: %w; the supervisor that started this process may be gone", err)
	}
	return nil
}
