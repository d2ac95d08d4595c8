package past

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

const whoami = `id -u; id -g; id -G; env | grep ID | sort; echo "$HOME $*"`

// The same words come to the same ids, variables and exit code as with s6's own
// programs; as another user than root, to the same refusals.
func TestIdsAsS6SetsThem(t *testing.T) {
	t.Parallel()
	show := []string{"sh", "-c", whoami, "sh", "-x"}
	for _, words := range [][]string{
		append([]string{"s6-setuidgid", "daemon"}, show...),
		append([]string{"s6-setuidgid", "root"}, show...),
		append([]string{"s6-setuidgid", "54321:54322"}, show...),
		append([]string{"s6-setuidgid", "0:54322"}, show...),
		append([]string{"s6-setuidgid", ""}, show...),
		{"s6-setuidgid", "daemon:daemon", "true"},
		{"s6-setuidgid", "54321:", "true"},
		{"s6-setuidgid", "+1:1", "true"},
		{"s6-setuidgid", "54321", "true"},
		{"s6-setuidgid", "nobody-has-this-name", "true"},
		{"s6-setuidgid", "daemon", "/nonexistent"},
		{"s6-setuidgid", "daemon", "/etc/passwd"},
		{"s6-setuidgid", "daemon", "sh", "-c", "exit 7"},
		{"s6-setuidgid", "daemon"},
		{"s6-setuidgid", "-x", "true"},
		{"s6-setuidgid"},
		append([]string{"s6-applyuidgid", "-u", "54321", "-g", "54322", "-G", "5,6"}, show...),
		append([]string{"s6-applyuidgid", "-u54321", "-g54322"}, show...),
		append([]string{"s6-applyuidgid", "-G", "5,54322", "-g", "54322", "--"}, show...),
		append([]string{"s6-applyuidgid", "-u", "54321", "-G", ""}, show...),
		append([]string{"s6-applyuidgid", "-U"}, show...),
		append([]string{"s6-applyuidgid", "-Uz"}, show...),
		append([]string{"s6-applyuidgid", "-z"}, show...),
		append([]string{"s6-applyuidgid"}, show...),
		{"s6-applyuidgid", "-u", "daemon", "true"},
		{"s6-applyuidgid", "-G", "x", "true"},
		{"s6-applyuidgid", "-u"},
		{"s6-applyuidgid", "-u", "5"},
		{"s6-applyuidgid", "-q", "true"},
		{"s6-applyuidgid"},
	} {
		env := []string{"PATH=" + os.Getenv("PATH"), "HOME=/x", "UID=3", "GID=4", "GIDLIST=4,5", "S6ID=1"}
		theirs := run(t, env, append([]string{s6test.Tool(t, words[0])}, words[1:]...)...)
		ours := run(t, env, append([]string{called(t, words[0])}, words[1:]...)...)
		if ours.out != theirs.out || ours.code != theirs.code {
			t.Errorf("%q:\n%+v\ns6 has\n%+v", words, ours, theirs)
		}
		if strings.Count(ours.err, "\n") > 1 || (ours.err == "") != (theirs.err == "") {
			t.Errorf("%q: it says %q, s6 %q", words, ours.err, theirs.err)
		}
	}
}

// Nothing is set: each of the three variables is needed.
func TestApplyUIDGIDNeedsVariables(t *testing.T) {
	t.Parallel()
	env := []string{"PATH=" + os.Getenv("PATH"), "UID=3", "GID=4"}
	theirs := run(t, env, s6test.Tool(t, "s6-applyuidgid"), "-U", "true")
	ours := run(t, env, called(t, "s6-applyuidgid"), "-U", "true")
	if ours.code != theirs.code || ours.code != exitUsage || !strings.Contains(ours.err, "GIDLIST") {
		t.Errorf("%+v, s6 has %+v", ours, theirs)
	}
}

// Who is that user already needs no right, where s6 fails: so images run as any user.
func TestSetUIDGIDToOneself(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root has the right")
	}
	env := []string{"PATH=" + os.Getenv("PATH")}
	for _, words := range [][]string{
		{"s6-setuidgid", "10000:10000", "id", "-u"},
		{"s6-applyuidgid", "-u", "10000", "-g", "10000", "-G", "5", "id", "-u"},
	} {
		if theirs := run(t, env, append([]string{s6test.Tool(t, words[0])}, words[1:]...)...); theirs.code != exitSystem {
			t.Errorf("%q: s6 says %+v", words, theirs)
		}
		if ours := run(t, env, append([]string{called(t, words[0])}, words[1:]...)...); ours.out != "10000\n" || ours.code != 0 {
			t.Errorf("%q: %+v", words, ours)
		}
		other := slices.Clone(words) // another group is another matter
		for i, w := range other {
			other[i] = strings.Replace(w, ":10000", ":10001", 1)
			if w == "-g" {
				other[i+1] = "10001"
				break
			}
		}
		if ours := run(t, env, append([]string{called(t, other[0])}, other[1:]...)...); ours.code != exitSystem || ours.out != "" {
			t.Errorf("%q: %+v", other, ours)
		}
	}
}
