//go:build !linux

package main

import "os"

func main() {
	os.Stderr.WriteString("the stand-in for hermes needs Linux\n")
	os.Exit(1)
}
