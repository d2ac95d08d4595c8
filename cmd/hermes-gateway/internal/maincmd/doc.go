// Package maincmd is the role main of the command: what the image runs for the
// words of docker run. It becomes hermes or another program, and stays itself
// only where a gateway is supervised instead of being the container's program.
package maincmd
