package servicemanager

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"syscall"
)

// Hash identifies the content of a normalized Spec: equal specs have equal
// hashes, on every machine and in every version that writes the same prefix.
// Down is left out, it is a wish and not content. The hash covers the values
// of Env: keep it where the values may be kept.
func (s Spec) Hash() string {
	s = s.WithDefaults()
	w := hasher{sha256.New()}
	w.str("v1", s.Name, s.Description)
	w.list(s.Command)
	w.num(int64(len(s.Env)))
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		w.str(k, s.Env[k])
	}
	w.str(s.EnvFile, s.Dir, s.User)
	w.num(int64(s.Limits.NoFile), int64(s.Boot))
	w.list(s.After)
	w.num(int64(s.Restart), int64(s.RestartDelay), int64(s.RestartMaxDelay), int64(len(s.FatalExitCodes)))
	for _, c := range s.FatalExitCodes {
		w.num(int64(c))
	}
	w.num(int64(s.StopSignal), int64(s.StopTimeout), int64(s.Ready), int64(s.ReadyFD))
	w.str(s.Log.Dir)
	tee := int64(0)
	if s.Log.Tee {
		tee = 1
	}
	w.num(int64(s.Log.MaxFiles), s.Log.MaxBytes, int64(s.Log.Timestamps), tee)
	return "v1-" + hex.EncodeToString(w.Sum(nil))
}

// WithDefaults returns the Spec with every zero value that stands for a default
// spelled out: backends render from it, and a Spec that names a default equals
// one that leaves it.
func (s Spec) WithDefaults() Spec {
	s.RestartDelay = orDefault(s.RestartDelay, DefaultRestartDelay)
	s.RestartMaxDelay = orDefault(s.RestartMaxDelay, DefaultRestartMaxDelay)
	s.StopTimeout = orDefault(s.StopTimeout, DefaultStopTimeout)
	s.StopSignal = orDefault(s.StopSignal, syscall.SIGTERM)
	s.Dir = orDefault(s.Dir, "/")
	if s.Log.Dir != "" {
		s.Log.MaxFiles = orDefault(s.Log.MaxFiles, DefaultLogFiles)
		s.Log.MaxBytes = orDefault(s.Log.MaxBytes, DefaultLogBytes)
	}
	return s
}

// hasher writes every value with its length in front, so that no two lists of
// values come to the same bytes.
type hasher struct{ hash.Hash }

func (w hasher) num(ns ...int64) {
	for _, n := range ns {
		w.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
}

func (w hasher) str(ss ...string) {
	for _, s := range ss {
		w.num(int64(len(s)))
		w.Write([]byte(s))
	}
}

func (w hasher) list(ss []string) {
	w.num(int64(len(ss)))
	w.str(ss...)
}
