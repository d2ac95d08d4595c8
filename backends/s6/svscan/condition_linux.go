package svscan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// A service that is copied into the scan directory may depend on the environment: of
// what the file enabled-if says all must be so, else the service is down and says
// why.
//
//	NAME         the variable is 1, true or yes
//	!NAME        it is not
//	NAME=VALUE   it is VALUE; NAME= says that it is empty, or not set
//	NAME!=VALUE  it is not

const conditionFile = "enabled-if"

// unmet is the first condition that is not met; "" if all are.
func unmet(text string, env []string) (string, error) {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, equals := strings.Cut(line, "=")
		var not bool
		if equals {
			name, not = strings.CutSuffix(name, "!")
		} else {
			name, not = strings.CutPrefix(name, "!")
		}
		if name == "" || strings.ContainsAny(name, " \t!") {
			return "", fmt.Errorf("%s: %q is no condition; write NAME, !NAME, NAME=VALUE or NAME!=VALUE", conditionFile, line)
		}
		is := variable(env, name)
		switch {
		case equals && (is == value) == not:
			return fmt.Sprintf("%s is %q", name, is), nil
		case !equals && yes(is) == not && not:
			return name + " is set", nil
		case !equals && yes(is) == not:
			return name + " is not 1, true or yes", nil
		}
	}
	return "", nil
}

func yes(value string) bool {
	return slices.Contains([]string{"1", "true", "yes"}, strings.ToLower(value))
}

// variable is the value of the first entry, as getenv(3) has it.
func variable(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// applyCondition has a copy be down where its condition is not met.
func (t *Tree) applyCondition(dir, data *fsat.Dir) error {
	text, err := dir.ReadFile(conditionFile, mostCondition)
	if err != nil {
		return unlessAbsent(err)
	}
	why, err := unmet(string(text), t.opts.Env)
	if err != nil || why == "" {
		return err
	}
	if down, err := dir.Exists("down"); err != nil || !down {
		if err == nil {
			err = dir.Create("down", nil, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return data.Create(filepath.Base(disabledFile), []byte(why+"\n"), 0o644)
}

// mostCondition bounds the file, in bytes.
const mostCondition = 64 << 10
