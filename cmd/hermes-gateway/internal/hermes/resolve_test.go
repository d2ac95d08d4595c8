package hermes

import (
	"errors"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestResolve(t *testing.T) {
	home := makeHome(t, "coder", "writer", "both", "gateway-x", "deep")
	known := []string{"gateway-coder", "gateway-orphan", "web", "both", "gateway-x", "Static", "gateway-UPPER"}
	type want struct {
		service, profile string
		known, real      bool
		err              string // part of the message
		class            error
	}
	for _, tc := range []struct {
		name   string
		typed  string
		kind   servicemanager.Kind
		exact  bool
		unsure bool
		want   want
	}{
		{name: "profile with its service", typed: "coder", want: want{service: "gateway-coder", profile: "coder", known: true, real: true}},
		{name: "profile without a service", typed: "writer", want: want{service: "gateway-writer", profile: "writer", real: true}},
		{name: "service of a profile that is gone", typed: "orphan", want: want{service: "gateway-orphan", profile: "orphan", known: true}},
		{name: "root profile", typed: "default", want: want{service: "gateway-default", profile: "default", real: true}},
		{name: "service", typed: "web", want: want{service: "web", known: true}},
		{name: "service with upper case", typed: "Static", want: want{service: "Static", known: true}},
		{name: "service like a profile's, with upper case", typed: "gateway-UPPER", want: want{service: "gateway-UPPER", known: true}},
		{name: "a profile's service by its full name", typed: "gateway-coder", want: want{service: "gateway-coder", profile: "coder", known: true, real: true}},
		{name: "full name of a service that a profile does not have yet", typed: "gateway-writer", want: want{service: "gateway-writer", profile: "writer", real: true}},
		{name: "both and different", typed: "both", want: want{err: "both the profile both (service gateway-both) and the service both"}},
		{name: "both, the profile named like a service", typed: "gateway-x", want: want{err: "the profile gateway-x (service gateway-gateway-x) and the service gateway-x"}},
		{name: "nothing", typed: "nope", want: want{err: "no directory", class: servicemanager.ErrNotRegistered}},
		{name: "nothing, and no profile's name", typed: "Nope", want: want{err: "no such service", class: servicemanager.ErrNotRegistered}},
		{name: "not a name", typed: "../coder", want: want{err: "begins with a dot"}},
		{name: "empty", typed: "", want: want{err: "is empty"}},
		{name: "leading dash", typed: "-x", want: want{err: "dash"}},
		{name: "newline", typed: "coder\n", want: want{err: "at byte 5"}},

		{name: "exact service", typed: "both", exact: true, want: want{service: "both", known: true}},
		{name: "exact service of a profile", typed: "gateway-coder", exact: true, want: want{service: "gateway-coder", profile: "coder", known: true, real: true}},
		{name: "exact does not know profiles", typed: "coder", exact: true, want: want{err: "no such service", class: servicemanager.ErrNotRegistered}},
		{name: "exact and not a name", typed: "a/b", exact: true, want: want{err: "at byte 1"}},

		{name: "unsure, real profile", typed: "writer", unsure: true, want: want{service: "gateway-writer", profile: "writer", real: true}},
		{name: "unsure, anything", typed: "thing", unsure: true, want: want{service: "thing"}},
		{name: "unsure, not a name", typed: ".thing", unsure: true, want: want{err: "dot"}},

		{name: "host: a service", typed: "web", kind: servicemanager.KindSystemd, want: want{service: "web", known: true}},
		{name: "host: names never tell a profile", typed: "gateway-coder", kind: servicemanager.KindSystemd, want: want{service: "gateway-coder", known: true}},
		{name: "host: nothing", typed: "coder", kind: servicemanager.KindSystemd, want: want{err: "no such service", class: servicemanager.ErrNotRegistered}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := World{Kind: servicemanager.KindS6, Home: home, Known: known, Exact: tc.exact, Unsure: tc.unsure}
			if tc.kind != "" {
				w.Kind = tc.kind
			}
			got, err := w.Resolve(tc.typed)
			if tc.want.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want.err) {
					t.Fatalf("got %+v, %v; want an error with %q", got, err, tc.want.err)
				}
				if tc.want.class != nil && !errors.Is(err, tc.want.class) {
					t.Errorf("%v is not %v", err, tc.want.class)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			have := want{service: got.Service.String(), profile: got.Profile.String(), known: got.Known, real: got.Real}
			if have != tc.want {
				t.Errorf("got %+v, want %+v", have, tc.want)
			}
		})
	}
}

func TestTargetName(t *testing.T) {
	coder := Target{Service: Reported("gateway-coder"), Profile: profile(t, "coder")}
	if got := coder.String(); got != "coder" {
		t.Errorf("got %q, want coder", got)
	}
	coder.Verbatim = true
	if got := coder.String(); got != "gateway-coder" {
		t.Errorf("verbatim: got %q, want gateway-coder", got)
	}
	if got := (Target{Service: Reported("web")}).String(); got != "web" {
		t.Errorf("got %q, want web", got)
	}
}
