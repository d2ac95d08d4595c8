package logdir

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseSettings(t *testing.T) {
	base := dirSpec{path: "./d", keep: 10, size: 99999, tolerance: 2000, retry: 2 * time.Second}
	with := func(change func(*dirSpec)) []dirSpec {
		d := base
		change(&d)
		return []dirSpec{d}
	}
	for _, tc := range []struct {
		name  string
		words string
		want  []dirSpec
	}{
		{"defaults", "./d", []dirSpec{base}},
		{"keep", "n3 ./d", with(func(d *dirSpec) { d.keep = 3 })},
		{"keep none", "n0 ./d", with(func(d *dirSpec) { d.keep = 0 })},
		{"size", "s1000000 ./d", with(func(d *dirSpec) { d.size = 1000000 })},
		{"least size", "s1 ./d", with(func(d *dirSpec) { d.size = 4096 })},
		{"greatest size", "s4294967295 ./d", with(func(d *dirSpec) { d.size = 268435455 })},
		{"total beyond 32 bits", "S18446744073709551615 ./d", with(func(d *dirSpec) { d.total = 1<<64 - 1 })},
		{"tolerance", "l0 ./d", with(func(d *dirSpec) { d.tolerance = 0 })},
		{"greatest tolerance", "s10001 l5000 ./d", with(func(d *dirSpec) { d.size, d.tolerance = 10001, 5000 })},
		{"a size after the tolerance is not compared", "l40000 s5000 ./d", with(func(d *dirSpec) { d.size, d.tolerance = 5000, 40000 })},
		{"retry", "r50 ./d", with(func(d *dirSpec) { d.retry = 50 * time.Millisecond })},
		{"settings stay", "n1 ./d s5000 ./d n2 /e", []dirSpec{
			{path: "./d", keep: 1, size: 99999, tolerance: 2000, retry: 2 * time.Second},
			{path: "./d", keep: 1, size: 5000, tolerance: 2000, retry: 2 * time.Second},
			{path: "/e", keep: 2, size: 5000, tolerance: 2000, retry: 2 * time.Second},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Parse(strings.Fields(tc.words))
			if err != nil || !reflect.DeepEqual(s.dirs, tc.want) {
				t.Errorf("got %+v, %v, want %+v", s.dirs, err, tc.want)
			}
		})
	}
}

func TestParseActions(t *testing.T) {
	one := func(acts ...action) []element { return []element{{actions: acts}} }
	for _, tc := range []struct {
		name  string
		words string
		want  []element
	}{
		{"stamps are used up", "T 1 ./d", one(action{kind: toStdout, local: true}, action{kind: toDir})},
		{"a stamp after an action", "1 T ./d", one(action{kind: toStdout}, action{kind: toDir, local: true})},
		{"both stamps", "T t 2", one(action{kind: toAlert, label: true, local: true})},
		{"a prefix stays", "pa: 1 2 p 1", one(action{prefix: "a: "}, action{kind: toAlert, prefix: "a: "}, action{})},
		{"status files", "=a ^7 =b", one(action{kind: toStatus, file: "a", size: 1001}, action{kind: toStatus, file: "b", size: 7, index: 1})},
		{"directories", "./a ../b /c .", one(action{kind: toDir}, action{kind: toDir, index: 1}, action{kind: toDir, index: 2}, action{kind: toDir, index: 3})},
		{"elements", "f 1 n5 2 f f 1", []element{
			{[]selection{{kind: 'f'}}, []action{{}, {kind: toAlert}}},
			{[]selection{{kind: 'f'}, {kind: 'f'}}, []action{{}}},
		}},
		{"selections without an action", "1 f", one(action{})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Parse(strings.Fields(tc.words))
			if err != nil || !reflect.DeepEqual(s.elements, tc.want) {
				t.Errorf("got %+v, %v, want %+v", s.elements, err, tc.want)
			}
		})
	}
	if s, err := Parse([]string{"1", "f", "n3"}); err != nil || !s.ignored {
		t.Errorf("selections without an action: ignored %v, %v", s.ignored, err)
	}
	if s, err := Parse([]string{"1", "n3"}); err != nil || s.ignored {
		t.Errorf("settings without an action: ignored %v, %v", s.ignored, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		words []string
		want  string
	}{
		{nil, "name no action; add a directory"},
		{[]string{"n5", "T"}, "name no action"},
		{[]string{"f"}, "name no action"},
		{[]string{""}, `log directive "" is empty`},
		{[]string{"var/log", "1"}, `"var/log" is no log directive; a directory begins with / or a dot`},
		{[]string{"!gzip -nq9", "1"}, `"!gzip -nq9" is an archive processor`},
		{[]string{"?gzip", "1"}, "leave it out, or log with s6-log"},
		{[]string{"R3600", "1"}, "send SIGALRM"},
		{[]string{"E500", "1"}, `"E500" changes the length of alerts`},
		{[]string{"n", "1"}, `"n" needs a number from 0 to 4294967295 after n`},
		{[]string{"n5x", "1"}, "needs a number"},
		{[]string{"s+5", "1"}, "needs a number"},
		{[]string{"s 5", "1"}, "needs a number"},
		{[]string{"n-1", "1"}, "needs a number"},
		{[]string{"n4294967296", "1"}, "needs a number"},
		{[]string{"S18446744073709551616", "1"}, "from 0 to 18446744073709551615 after S"},
		{[]string{"l50000", "1"}, "is more than half of the size, which is 99999 here"},
		{[]string{"=", "1"}, "names no status file"},
		{[]string{"fx", "1"}, "has something after f, which stands alone"},
		{[]string{"tT", "1"}, "make it a word of its own"},
		{[]string{"12"}, "stands alone"},
		{[]string{"+(", "1"}, `log directive "+(" is no regular expression that is understood here: a ( has no )`},
	} {
		t.Run(strings.Join(tc.words, " "), func(t *testing.T) {
			_, err := Parse(tc.words)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}
