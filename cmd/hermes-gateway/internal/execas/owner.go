package execas

import (
	"fmt"
	"io/fs"
)

// OwnerError says that root could not become the owner of a directory. It
// matches fs.ErrPermission, whatever the system called it.
type OwnerError struct {
	Dir string
	UID int
	Err error
}

func (e *OwnerError) Error() string {
	return fmt.Sprintf("%s belongs to uid %d, and root cannot become that user here: %v", e.Dir, e.UID, e.Err)
}

// Unwrap returns why.
func (e *OwnerError) Unwrap() error { return e.Err }

// Is makes every OwnerError a lack of rights.
func (e *OwnerError) Is(target error) bool { return target == fs.ErrPermission }
