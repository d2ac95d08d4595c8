package fsat

import "golang.org/x/sys/unix"

// StatFollow describes what name, directly below d, is or leads to: for scan
// directories, whose entries may be links by design.
func (d *Dir) StatFollow(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	_, err := retry(func() (struct{}, error) { return struct{}{}, unix.Fstatat(d.fd, name, &st, 0) })
	if err != nil {
		return st, d.fail("stat", name, err)
	}
	return st, nil
}
