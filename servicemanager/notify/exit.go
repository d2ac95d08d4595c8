package notify

import "fmt"

// The exit codes of Fatal and Again, those of sysexits.h.
const (
	codeFailure = 1
	codeAgain   = 75 // EX_TEMPFAIL
	codeFatal   = 78 // EX_CONFIG
)

// Exit makes Run return code instead of 1 for err. err may be nil: then
// nothing is printed. A code that is no exit status (0 to 255) counts as 1.
// The result is never nil, unwraps to err and may be wrapped further.
func Exit(code int, err error) error {
	if code < 0 || code > 255 {
		code = codeFailure
	}
	return &exitError{code, err}
}

// Fatal is Exit(78, err): something is wrong that a restart cannot mend, such
// as the configuration. Put 78 into Spec.FatalExitCodes and the supervisor
// leaves the service down.
func Fatal(err error) error { return Exit(codeFatal, err) }

// Again is Exit(75, err): the program ends in order and wants to be started
// anew, for instance after an update of itself.
func Again(err error) error { return Exit(codeAgain, err) }

type exitError struct {
	code int
	err  error // may be nil
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }
