//go:build !linux

package smtest

func (*Report) addSystem() {}
