package superdir

// readAtMost is more than any file has that a supervisor reads, in bytes.
const readAtMost = 4096

// Read returns the first bytes of a regular file. Nothing else is read, and no
// FIFO is waited for.
func (d *Dir) Read(name string) ([]byte, error) { return d.dir.ReadStart(name, readAtMost) }

// Exists says whether there is anything of that name.
func (d *Dir) Exists(name string) (bool, error) { return d.dir.Exists(name) }
