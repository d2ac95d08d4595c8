package servicedir

import (
	"encoding/json"
	"fmt"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Mark is what data/registered says: that the directory was made by Register,
// and what a client must know to act on the service. It holds no secret.
type Mark struct {
	Version     int    `json:"v"`
	Description string `json:"description,omitempty"`
	Restart     string `json:"restart"`
	Fatal       []int  `json:"fatal,omitempty"`
}

// MaxMark is the size in bytes that no mark exceeds.
const MaxMark = 64 << 10

// MarkOf returns the mark for a spec.
func MarkOf(spec sm.Spec) Mark {
	return Mark{Version: 1, Description: spec.Description, Restart: spec.Restart.String(), Fatal: spec.FatalExitCodes}
}

// Encode returns the mark as one line of JSON.
func (m Mark) Encode() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("servicedir: a mark of strings and numbers cannot be encoded: " + err.Error())
	}
	return string(b) + "\n"
}

// ParseMark reads a mark. Marks of later versions are read as far as they are
// understood.
func ParseMark(b []byte) (Mark, error) {
	var m Mark
	if err := json.Unmarshal(b, &m); err != nil {
		return Mark{}, fmt.Errorf("%s is damaged: %w", MarkFile, err)
	}
	if m.Version < 1 {
		return Mark{}, fmt.Errorf("%s is damaged: no version", MarkFile)
	}
	return m, nil
}
