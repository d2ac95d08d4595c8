package procs

import (
	"slices"
	"testing"
)

// As the kernel reads the first line of a script.
func TestInterpreter(t *testing.T) {
	for head, want := range map[string][]string{
		"#!/bin/sh\necho":                    {"/bin/sh"},
		"#! /bin/sh -e \n":                   {"/bin/sh", "-e"},
		"#!\t/usr/bin/env  -S sh -e\nx":      {"/usr/bin/env", "-S sh -e"},
		"#!/bin/sh":                          {"/bin/sh"},
		"#!\n/bin/sh":                        nil,
		"#! \t\n":                            nil,
		"echo\n#!/bin/sh\n":                  nil,
		"\x7fELF":                            nil,
		"":                                   nil,
		"#!/bin/sh -a\tb c\n#!/bin/other -d": {"/bin/sh", "-a\tb c"},
	} {
		if got := interpreter([]byte(head)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}
