package shebang_test

import (
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

func TestInterpreter(t *testing.T) {
	for head, want := range map[string][2]string{
		"#!/bin/sh\necho":                    {"/bin/sh", ""},
		"#! /bin/sh -e \n":                   {"/bin/sh", "-e"},
		"#!\t/usr/bin/env  -S sh -e\nx":      {"/usr/bin/env", "-S sh -e"},
		"#!/bin/sh":                          {"/bin/sh", ""},
		"#!/bin/sh\r\n":                      {"/bin/sh\r", ""},
		"#!/bin/sh\x00x\n":                   {"/bin/sh", ""},
		"#!\n/bin/sh":                        {},
		"#! \t\n":                            {},
		"echo\n#!/bin/sh\n":                  {},
		"\x7fELF":                            {},
		"":                                   {},
		"#!/bin/sh -a\tb c\n#!/bin/other -d": {"/bin/sh", "-a\tb c"},
	} {
		path, arg := shebang.Interpreter([]byte(head))
		if got := [2]string{path, arg}; got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}
