//go:build race

package supervise

// underRace says whether the race detector slows everything down.
const underRace = true
