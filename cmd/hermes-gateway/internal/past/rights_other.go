//go:build !unix

package past

// OnlyRoots has nothing to say where there is no root.
func (im Image) OnlyRoots(string) error { return nil }
