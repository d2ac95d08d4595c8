// Package container tests the init in real containers, made by the docker engine
// of this machine from an image that holds nothing but static programs. It has no
// code of its own.
package container
