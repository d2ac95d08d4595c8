// Package doctest keeps the documentation true: its tests compile the Go
// programs and run the commands that README.md and docs/ show.
package doctest
