//go:build !darwin

package launchd

const onDarwin = false
