//go:build !race

package s6test

const raceDetector = false
