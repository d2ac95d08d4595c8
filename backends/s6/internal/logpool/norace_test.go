//go:build !race

package logpool

// underRace says whether the race detector slows everything down.
const underRace = false
