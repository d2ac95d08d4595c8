package logdir

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// subjects are lines to match expressions against.
var subjects = strings.Split("|a|b|ab|aa|aaa|aaaa|abab|ABC|a.c|a c|axc|foo bar|foo_bar|foobar baz|[x]|a]b|a-b|a\\b|(a)|a{1}|{|}|*|+a|^a|a$|"+
	"0|42|3.14|error: disk|ERROR|  x|\tx|a\vb|x\x7fy|\xe4|a\xe4b|grün|\xff\xfe|-|--|a|b|a^b|.|\\|/|'|`|_|@|~|!|é", "|")

// expressions are what s6-log and we read alike.
var expressions = []string{
	"", "a", "ab", "a|b", "|a", "a|", "(|a)", "()", "(a|b)(a|b)", "^a", "a$", "^$", "^", "$", "a^", "$a", "a.c", "^.$", "^..$", "^...$",
	"a*", "^a*$", "^a+$", "^a?$", "^a{2}$", "^a{2,}$", "^a{,2}$", "^a{2,3}$", "^(ab){2}$", "^a{0}$", "a**", "^a+?$", "^a?+$", "^(a*)+$", "^a{2}{2}$",
	"[ab]", "^[^ab]*$", "[]]", "[^]]", "[]a]", "[a-]", "[-a]", "[^-]", "[--/]", "[+--]", `[\]`, `[\.]`, `[a\]b]`, "[.]", "[*]", "[$]", "[a^]", "[|]", "[(]",
	"[[:alpha:]]", "[[:digit:]]+", "^[[:upper:]]+$", "[[:space:]]", "[[:blank:]]", "[[:punct:]]", "[[:cntrl:]]", "^[[:print:]]*$", "^[[:graph:]]+$",
	"[[:xdigit:]_]", "[^[:alnum:]]", "[[:lower:][:digit:]]", "[[.a.]]", "[[=a=]]", "[[.-.]]", "[[.a.]-c]", "[a-[.c.]]", "[[:alpha:]-]",
	"a)", ")", "}", "a}", `\(`, `\)`, `\{`, `\[`, `\.`, `\*`, `\\`, `\|`, `\^`, `\$`, `\/`, `\a`, `\-`, `\d`, `\n`, `\e`,
	`\w`, `^\w+$`, `\W`, `\s`, `^\S+$`, `\bbar`, `foo\b`, `o\Bo`, "\\`a", `a\'`, "\xe4", "[\xe4]", "^a.b$", "ü", "^gr.{2}n$", "[\x80-\xff]",
	"error|ERROR", "(foo|bar) ?ba[rz]", "^ +", "x(y|)z*",
}

// faulty are expressions that both refuse.
var faulty = []string{
	"*", "+", "?", "{1}", "a|*", "(*a)", "^*", "$*", `\b*`, "(", "(a", "a(b", "[a", "[", "[]", "[^]", "[]a", "[a-", "[[:foo:]]", "[[:alpha:]", "[b-a]",
	"[a-c-e]", "[[:digit:]-z]", "a{", "a{x", "a{1", "a{1,x}", "a{3,2}", "a{}", "a{-1}", `\`, `a\`, "[[.xy.]]", "[[.a]", "[a-[:digit:]]",
}

// selectedBy lets s6-log say which subjects an expression selects.
func selectedBy(t *testing.T, s6log, expr string) (string, bool) {
	t.Helper()
	cmd := exec.Command(s6log, "--", "-", "+"+expr, "1")
	cmd.Stdin = strings.NewReader(strings.Join(subjects, "\n") + "\n")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 100 {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), true
}

func TestExpressionsAsS6Log(t *testing.T) {
	s6log := s6test.Tool(t, "s6-log")
	for _, expr := range append(expressions, faulty...) {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			want, valid := selectedBy(t, s6log, expr)
			p, err := compile(expr)
			if (err == nil) != valid {
				t.Fatalf("compile: %v, s6-log accepts it: %v", err, valid)
			}
			if err != nil {
				return
			}
			var got bytes.Buffer
			var latin []byte
			for _, line := range subjects {
				var text []byte
				text, latin = inLatin1([]byte(line), latin)
				if p.matches(text) {
					got.WriteString(line + "\n")
				}
			}
			if got.String() != want {
				t.Errorf("selects %q, s6-log %q", got.String(), want)
			}
		})
	}
}

func TestExpressionsNotSupported(t *testing.T) {
	for expr, want := range map[string]string{
		`(a)\1`:        "back-reference",
		`\<a`:          `use \b`,
		"a{1001}":      "more than 1000 times",
		"(a{100}){50}": "invalid repeat count",
	} {
		if _, err := compile(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, expr := range append(expressions, faulty...) {
		f.Add(expr, "a line")
	}
	f.Fuzz(func(t *testing.T, expr, line string) {
		if p, err := compile(expr); err == nil {
			text, _ := inLatin1([]byte(line), nil)
			p.matches(text)
		}
	})
}
