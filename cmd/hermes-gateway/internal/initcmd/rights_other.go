//go:build !unix

package initcmd

func onlyRoots(string) error { return nil } // there is no init
