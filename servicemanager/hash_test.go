package servicemanager_test

import (
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func full() servicemanager.Spec {
	return servicemanager.Spec{
		Name: "web", Description: "d", Command: []string{"/bin/web", "a"}, Env: map[string]string{"A": "1", "B": "2"},
		EnvFile: "/env", Dir: "/d", User: "u", Limits: servicemanager.Limits{NoFile: 7}, Boot: servicemanager.BootManual,
		After: []string{"db"}, Restart: servicemanager.RestartNever, RestartDelay: 2 * time.Second, RestartMaxDelay: time.Minute,
		FatalExitCodes: []int{3, 78}, StopSignal: syscall.SIGINT, StopTimeout: time.Second, Ready: servicemanager.ReadyNotify, ReadyFD: 5,
		Log: servicemanager.LogSpec{Dir: "/l", MaxFiles: 3, MaxBytes: 5000, Timestamps: servicemanager.TimestampTAI, Tee: true},
	}
}

// Every field counts, also one that is added later and forgotten here.
func TestHashCoversEveryField(t *testing.T) {
	base := full()
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for i := range v.NumField() {
			field, name := v.Field(i), path+v.Type().Field(i).Name
			if field.Kind() == reflect.Struct {
				walk(field, name+".")
				continue
			}
			if name == "Down" {
				continue
			}
			for _, change := range alterations(t, field, name) {
				was := reflect.ValueOf(field.Interface())
				field.Set(change)
				if base.Hash() == full().Hash() {
					t.Errorf("%s may be %v instead of %v", name, change, was)
				}
				field.Set(was)
			}
		}
	}
	walk(reflect.ValueOf(&base).Elem(), "")
	if base.Hash() != full().Hash() {
		t.Fatal("the test has not restored what it changed")
	}
}

func alterations(t *testing.T, v reflect.Value, name string) []reflect.Value {
	t.Helper()
	changed := reflect.New(v.Type()).Elem()
	switch value := v.Interface().(type) {
	case string:
		changed.SetString(value + "x")
		return []reflect.Value{changed}
	case bool:
		changed.SetBool(!value)
		return []reflect.Value{changed}
	case []string:
		return []reflect.Value{reflect.ValueOf(append(value[:len(value):len(value)], "")), reflect.ValueOf(value[1:])}
	case []int:
		return []reflect.Value{reflect.ValueOf(value[1:]), reflect.ValueOf([]int{3, 77})}
	case map[string]string:
		return []reflect.Value{
			reflect.ValueOf(map[string]string{"A": "1"}),
			reflect.ValueOf(map[string]string{"A": "1", "B": "3"}),
			reflect.ValueOf(map[string]string{"A": "1", "C": "2"}),
		}
	}
	switch {
	case v.CanInt():
		changed.SetInt(v.Int() + 1)
	case v.CanUint():
		changed.SetUint(v.Uint() + 1)
	default:
		t.Fatalf("%s: say how to change a %s", name, v.Type())
	}
	return []reflect.Value{changed}
}

func TestHashOfEqualContent(t *testing.T) {
	type spec = servicemanager.Spec
	bare := func() spec { return spec{Name: "web", Command: []string{"/bin/web"}} }
	logged := func() spec { s := bare(); s.Log.Dir = "/l"; return s }
	for _, tc := range []struct {
		name   string
		base   func() spec
		change func(*spec)
	}{
		{"down is a wish", bare, func(s *spec) { s.Down = true }},
		{"default delay", bare, func(s *spec) { s.RestartDelay = servicemanager.DefaultRestartDelay }},
		{"default longest delay", bare, func(s *spec) { s.RestartMaxDelay = servicemanager.DefaultRestartMaxDelay }},
		{"default stop timeout", bare, func(s *spec) { s.StopTimeout = servicemanager.DefaultStopTimeout }},
		{"default stop signal", bare, func(s *spec) { s.StopSignal = syscall.SIGTERM }},
		{"default directory", bare, func(s *spec) { s.Dir = "/" }},
		{"default number of files", logged, func(s *spec) { s.Log.MaxFiles = servicemanager.DefaultLogFiles }},
		{"default size of files", logged, func(s *spec) { s.Log.MaxBytes = servicemanager.DefaultLogBytes }},
		{"empty instead of nil", bare, func(s *spec) {
			s.Env, s.After, s.FatalExitCodes = map[string]string{}, []string{}, []int{}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := tc.base()
			tc.change(&changed)
			if changed.Hash() != tc.base().Hash() {
				t.Error("the hashes differ")
			}
		})
	}
}

// No value can play the end of a field and the beginning of the next.
func TestHashSeparatesFields(t *testing.T) {
	type spec = servicemanager.Spec
	seen := map[string]string{}
	for name, s := range map[string]spec{
		"name a, description b":      {Name: "a", Description: "b"},
		"name ab":                    {Name: "ab"},
		"description ab":             {Description: "ab"},
		"description with length":    {Name: "a", Description: "\x00\x00\x00\x00\x00\x00\x00\x01b"},
		"one argument":               {Command: []string{"ab"}},
		"two arguments":              {Command: []string{"a", "b"}},
		"two, one empty":             {Command: []string{"ab", ""}},
		"two, first empty":           {Command: []string{"", "ab"}},
		"one with NUL":               {Command: []string{"a\x00b"}},
		"after instead of command":   {After: []string{"ab"}},
		"two after":                  {After: []string{"a", "b"}},
		"variable":                   {Env: map[string]string{"A": "B=C"}},
		"variable, split elsewhere":  {Env: map[string]string{"A=B": "C"}},
		"two variables":              {Env: map[string]string{"A": "", "B": "C"}},
		"variable with newline":      {Env: map[string]string{"A": "\nB=C"}},
		"argument instead of value":  {Command: []string{"A", "B=C"}},
		"environment file":           {EnvFile: "ab"},
		"directory":                  {Dir: "ab"},
		"user":                       {User: "ab"},
		"log directory":              {Log: servicemanager.LogSpec{Dir: "ab"}},
		"codes":                      {FatalExitCodes: []int{1, 2}},
		"code":                       {FatalExitCodes: []int{12}},
		"signal instead of code":     {StopSignal: 1, StopTimeout: 2},
		"delays":                     {RestartDelay: 1, RestartMaxDelay: 2},
		"delays the other way round": {RestartDelay: 2, RestartMaxDelay: 1},
	} {
		h := s.Hash()
		if other, ok := seen[h]; ok {
			t.Errorf("%q and %q have the same hash", name, other)
		}
		seen[h] = name
	}
}

// The hash is kept on disk: it must not change with the version.
func TestHashIsStable(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec servicemanager.Spec
		want string
	}{
		{"bare", servicemanager.Spec{Name: "web", Command: []string{"/bin/web"}}, "v1-fbbd4d588cb5f8ab6e02dc2db6f3c21bdc513bd298f056221ab252b34e895588"},
		{"full", full(), "v1-b4a4c65f36ed98842c98fbeefcdbbb738100a16c92289f51920eb76178bea02d"},
	} {
		if got := tc.spec.Hash(); got != tc.want {
			t.Errorf("%s: hash %s, want %s; a new form needs a new prefix", tc.name, got, tc.want)
		} else if !strings.HasPrefix(got, "v1-") || len(got) != 3+64 {
			t.Errorf("%s: %s is not v1- and 64 digits", tc.name, got)
		}
	}
}

func TestWithDefaults(t *testing.T) {
	got := servicemanager.Spec{Log: servicemanager.LogSpec{Dir: "/l"}}.WithDefaults()
	want := servicemanager.Spec{
		Dir: "/", RestartDelay: time.Second, RestartMaxDelay: 5 * time.Minute,
		StopSignal: syscall.SIGTERM, StopTimeout: 10 * time.Second,
		Log: servicemanager.LogSpec{Dir: "/l", MaxFiles: 10, MaxBytes: 1_000_000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("defaults %+v, want %+v", got, want)
	}
	if got := full().WithDefaults(); !reflect.DeepEqual(got, full()) {
		t.Errorf("what is set has changed: %+v", got)
	}
}
