package servicemanager

import "strings"

// MaxNameLen is the longest service name, in bytes. It leaves room for the
// suffixes and staging names of every backend within a 255-byte file name.
const MaxNameLen = 200

// ValidName says whether name can name a service on every manager:
// [A-Za-z0-9_][A-Za-z0-9_.-]*, 1 to 200 bytes, not ending in ".service" or
// ".log". Such a name is one path element, never hidden, never an option.
func ValidName(name string) bool { return nameProblem(name) == "" }

// CheckName returns nil for a valid name, else a *SpecError that says what is
// wrong with it.
func CheckName(name string) error {
	if p := nameProblem(name); p != "" {
		return &SpecError{Field: "Name", Value: name, Reason: p}
	}
	return nil
}

func nameProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > MaxNameLen:
		return "has " + itoa(len(name)) + " bytes, the limit is " + itoa(MaxNameLen)
	case name[0] == '.':
		return "begins with a dot, which hides it from supervisors"
	case name[0] == '-':
		return "begins with a dash and would be read as an option"
	case strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".log"):
		return "ends in .service or .log, which managers add themselves"
	}
	for i := 0; i < len(name); i++ {
		if !nameByte(name[i]) {
			return "has a character other than A-Z a-z 0-9 _ . - at byte " + itoa(i)
		}
	}
	return ""
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == '.' || c == '-'
}

// ValidEnvKey says whether key can name an environment variable on every
// manager: [A-Za-z_][A-Za-z0-9_]*.
func ValidEnvKey(key string) bool {
	for i := 0; i < len(key); i++ {
		c := key[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return key != ""
}
