package servicedir

import (
	"fmt"
	"path"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// Write makes the entries below an empty directory and has them survive a
// crash of the machine where the file system can.
func Write(dir *fsat.Dir, entries []Entry) error {
	files := map[string][]string{".": nil} // by directory
	var order []string
	for _, e := range entries {
		if e.Dir {
			sub, err := dir.Mkdir(e.Path, e.Perm)
			if err != nil {
				return err
			}
			sub.Close()
			order = append(order, e.Path)
			continue
		}
		if err := dir.Create(e.Path, []byte(e.Data), e.Perm); err != nil {
			return err
		}
		parent := path.Dir(e.Path)
		files[parent] = append(files[parent], path.Base(e.Path))
	}
	for _, p := range order {
		sub, err := dir.Sub(p)
		if err != nil {
			return err
		}
		err = sub.Sync(files[p]...)
		sub.Close()
		if err != nil {
			return fmt.Errorf("make it durable: %w", err)
		}
	}
	return dir.Sync(files["."]...)
}
