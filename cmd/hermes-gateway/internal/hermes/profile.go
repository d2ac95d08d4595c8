package hermes

import (
	"fmt"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

const (
	// MaxProfileLen is the length in bytes up to which new profiles are
	// registered unless the caller asks for long names.
	MaxProfileLen = 64
	// MaxLongProfileLen is the length in bytes of the longest profile whose
	// service can have a name at all.
	MaxLongProfileLen = servicemanager.MaxNameLen - len(slotPrefix)

	defaultProfile = "default"
)

// ProfileName is the name of a profile. Only ParseProfileName, Default and
// ServiceName.Profile make one, so a ProfileName is always well-formed. The
// zero value means no profile.
type ProfileName struct{ s string }

// Default returns the name of the root profile: the home itself.
func Default() ProfileName { return ProfileName{defaultProfile} }

// ParseProfileName accepts the names that profiles can have: one to limit
// bytes of a-z, 0-9, _ and -, the first a letter or a digit. The error is a
// *servicemanager.SpecError that says what is wrong.
func ParseProfileName(s string, limit int) (ProfileName, error) {
	if p := profileProblem(s, limit); p != "" {
		return ProfileName{}, &servicemanager.SpecError{Field: "profile name", Value: s, Reason: p}
	}
	return ProfileName{s}, nil
}

// String returns the name, "" for no profile.
func (p ProfileName) String() string { return p.s }

// IsZero says whether this is no profile.
func (p ProfileName) IsZero() bool { return p.s == "" }

// IsDefault says whether this is the root profile.
func (p ProfileName) IsDefault() bool { return p.s == defaultProfile }

func profileProblem(s string, limit int) string {
	switch {
	case s == "":
		return "is empty"
	case s[0] == '-':
		return "begins with a dash and would be read as an option"
	case strings.ContainsAny(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
		return "has an upper-case letter; profile names are lower case"
	case s[0] == '_':
		return "begins with an underscore; the first character is a letter or a digit"
	}
	for i := 0; i < len(s); i++ {
		if !profileByte(s[i]) {
			return fmt.Sprintf("has a character other than a-z 0-9 _ - at byte %d", i)
		}
	}
	if len(s) > limit {
		return fmt.Sprintf("has %d bytes, the limit is %d", len(s), limit)
	}
	return ""
}

func profileByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
