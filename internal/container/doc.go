// Package container tests the init and the image in real containers: of the docker
// engine of this machine, or made by runc where none answers. It has no code of its
// own.
package container
