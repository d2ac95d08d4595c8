package rcsource

import (
	"strings"
	"testing"
	"testing/fstest"
)

// source makes definitions of lines "path content".
func source(text string) fstest.MapFS {
	files := fstest.MapFS{}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		path, content, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(content, `\n`, "\n"))}
	}
	return files
}

func shown(services []Service) string {
	var all []string
	for _, s := range services {
		text := s.Name + "(" + strings.Join(s.Needs, ",") + ")"
		if s.Oneshot {
			text += " up:" + s.Up + " down:" + s.Down
		}
		if s.Logger != "" {
			text += " log:" + s.Logger
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

const some = `
web/type longrun\n
web/run x
web/dependencies.d/prepare
web/dependencies.d/base
web/dependencies.d/stores
prepare/type oneshot
prepare/up /bin/prepare --all
prepare/down /bin/undo
db/type longrun
db/run x
db/producer-for db-log
db/dependencies prepare\n# not this\n\n
db-log/type longrun
db-log/run x
db-log/consumer-for db
db-log/pipeline-name db-pipe
db-log/dependencies.d/dirs
dirs/type oneshot
dirs/up mkdir /var/log/db
stores/type bundle
stores/contents.d/db-pipe
unused/type longrun
unused/run x
.git/HEAD x
`

func TestLoad(t *testing.T) {
	for _, c := range []struct{ bundles, source, want string }{
		{"", some + "user/type bundle\nuser/contents.d/web", "dirs() up:mkdir /var/log/db down:; prepare() up:/bin/prepare --all down:/bin/undo; db(dirs,prepare) log:db-log; web(db,prepare)"},
		{"", some + "user/type bundle\nuser/contents db-log\\ndirs", "dirs() up:mkdir /var/log/db down:; prepare() up:/bin/prepare --all down:/bin/undo; db(dirs,prepare) log:db-log"},
		{"user/type bundle\nuser/contents.d/unused\nuser2/type bundle\nuser2/contents.d/dirs\nother/type nonsense", some, "unused(); dirs() up:mkdir /var/log/db down:"},
		{"user/type bundle\nuser/contents.d/unused", some + "user/type bundle\nuser/contents.d/dirs", "dirs() up:mkdir /var/log/db down:; unused()"},
		{"", "user/type bundle\nuser/contents.d/top", ""},
	} {
		var bundles fstest.MapFS
		if c.bundles != "" {
			bundles = source(c.bundles)
		}
		got, err := load(source(c.source), bundles)
		if err != nil || shown(got) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.source, shown(got), err, c.want)
		}
	}
}

// load keeps a nil map from being a file system.
func load(definitions, bundles fstest.MapFS) ([]Service, error) {
	if bundles == nil {
		return Load(definitions, nil)
	}
	return Load(definitions, bundles)
}

// What cannot be is an error that names the file.
func TestErrors(t *testing.T) {
	const web = "web/type longrun\nweb/run x\nuser/type bundle\nuser/contents.d/web\n"
	for text, want := range map[string]string{
		"web/type longrun\nweb/run x":                        "no bundle user",
		web + "web/dependencies.d/absent":                    "web names absent, which is not defined",
		web + "x/type daemon":                                `x/type: "daemon" is none of`,
		web + "x/run y":                                      "x/type",
		web + "x/type oneshot":                               "x/up",
		web + "x/type longrun":                               "x/run",
		web + "s6rc-x/type bundle":                           `"s6rc-x" cannot be the name`,
		web + "web/lock-fd 3":                                "web/lock-fd asks for",
		web + "web/dependencies.d/web":                       "web needs itself: web, web",
		web + "web/producer-for log":                         "web/producer-for names log",
		web + "web/consumer-for db\ndb/type longrun\ndb/run": "web/consumer-for names db",
		web + "web/dependencies.d/a\na/type bundle\na/contents.d/b\nb/type bundle\nb/contents.d/a":                                           "circle of bundles: a, b, a",
		web + "web/dependencies.d/db\ndb/type longrun\ndb/run x\ndb/dependencies.d/web":                                                      "web needs itself: web, db, web",
		web + "web/producer-for b\nb/type longrun\nb/run x\nb/consumer-for web\nb/producer-for c\nc/type longrun\nc/run x\nc/consumer-for b": "b is in a pipeline of more than two",
		web + "web/producer-for b\nb/type longrun\nb/run x\nb/consumer-for web\nb/pipeline-name user":                                        "user is defined already",
	} {
		got, err := load(source(text), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v, want %s", text, shown(got), err, want)
		}
	}
	if _, err := load(source(web), source("user/type longrun\nuser/run x")); err == nil || !strings.Contains(err.Error(), "user is defined twice") {
		t.Error(err)
	}
}
