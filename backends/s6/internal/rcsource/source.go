// Package rcsource reads service definitions in the source format of s6-rc, as images
// made for s6-overlay have them, and finds out which of them are to run.
//
// Source: the page s6-rc-compile(8); s6-overlay, README and layout/rootfs-overlay.
package rcsource

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Service is something to run.
type Service struct {
	Name    string
	Oneshot bool
	Needs   []string // services, by name, in order
	Up      string   // of a oneshot: a command line for execlineb
	Down    string   // the same; empty: there is none
	// Logger is the definition whose run reads what this one writes to standard
	// output; empty: none. It is no service of its own.
	Logger string
}

// kind is the content of a file type.
type kind string

const (
	longrun kind = "longrun"
	oneshot kind = "oneshot"
	bundle  kind = "bundle"
)

// definition is a directory of the source.
type definition struct {
	name     string
	kind     kind
	needs    []string // as written
	contents []string // of a bundle
	up, down string
	producer string   // who reads what it writes
	consumer []string // whose output it reads
	pipeline string   // a name for it and its producers
}

// builtIn are those that s6-overlay has beside the source. What they stand for has
// been done when services begin, or is no service.
var builtIn = []string{"base", "fix-attrs", "legacy-cont-init", "legacy-services", "top"}

// roots are the bundles of what is to run.
var roots = []string{"user", "user2"}

// postponed are files that ask for what no supervisor of this module does.
var postponed = []string{"lock-fd", "flag-newpidns"}

// Load reads definitions and returns what is to run, in an order in which nothing
// comes before what it needs. The bundles user and user2 say what is to run; bundles
// is where they are beside the definitions, nil: nowhere.
//
// Errors name the file, and what to do.
func Load(definitions, bundles fs.FS) ([]Service, error) {
	s := set{}
	if err := s.read(definitions, nil); err != nil {
		return nil, err
	}
	if bundles != nil {
		if err := s.read(bundles, roots); err != nil {
			return nil, err
		}
	}
	if err := s.pipelines(); err != nil {
		return nil, err
	}
	return s.enabled()
}

// set is what there is.
type set map[string]*definition

func (s set) read(source fs.FS, only []string) error {
	entries, err := fs.ReadDir(source, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		info, err := fs.Stat(source, name)
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, ".") || !info.IsDir() || only != nil && !slices.Contains(only, name) {
			continue
		}
		if strings.HasPrefix(name, "s6rc-") || strings.HasPrefix(name, "s6-rc-") || strings.Contains(name, "\n") {
			return fmt.Errorf("%q cannot be the name of a service; rename it", name)
		}
		d, err := readDefinition(source, name)
		if err != nil {
			return err
		}
		if old := s[name]; old != nil && old.kind == bundle && d.kind == bundle {
			d.contents = append(d.contents, old.contents...)
		} else if old != nil {
			return fmt.Errorf("%s is defined twice; remove one", name)
		}
		s[name] = d
	}
	return nil
}

func readDefinition(source fs.FS, name string) (*definition, error) {
	d := &definition{name: name}
	text, err := textOf(source, path.Join(name, "type"))
	if err != nil {
		return nil, err
	}
	d.kind = kind(text)
	switch d.kind {
	case bundle:
		d.contents, err = namesOf(source, name, "contents")
		return d, err
	case oneshot:
		err = d.readOneshot(source)
	case longrun:
		err = d.readLongrun(source)
	default:
		err = fmt.Errorf("%s/type: %.40q is none of oneshot, longrun and bundle; write one of them", name, text)
	}
	if err == nil {
		d.needs, err = namesOf(source, name, "dependencies")
	}
	return d, err
}

func (d *definition) readOneshot(source fs.FS) error {
	up, err := fs.ReadFile(source, path.Join(d.name, "up"))
	if err != nil {
		return err
	}
	down, err := fs.ReadFile(source, path.Join(d.name, "down"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.up, d.down = string(up), string(down)
	return nil
}

func (d *definition) readLongrun(source fs.FS) error {
	if _, err := fs.Stat(source, path.Join(d.name, "run")); err != nil {
		return err
	}
	for _, name := range postponed {
		if _, err := fs.Stat(source, path.Join(d.name, name)); err == nil {
			return fmt.Errorf("%s/%s asks for what this supervisor does not do; remove it", d.name, name)
		}
	}
	var errs [3]error
	d.producer, errs[0] = optional(source, path.Join(d.name, "producer-for"))
	d.pipeline, errs[1] = optional(source, path.Join(d.name, "pipeline-name"))
	var from string
	from, errs[2] = optional(source, path.Join(d.name, "consumer-for"))
	d.consumer = lines(from)
	return errors.Join(errs[:]...)
}

// textOf is a file of one line.
func textOf(source fs.FS, name string) (string, error) {
	b, err := fs.ReadFile(source, name)
	return strings.TrimSpace(string(b)), err
}

func optional(source fs.FS, name string) (string, error) {
	text, err := textOf(source, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return text, err
}

// namesOf are the names of the files in a directory NAME.d or, as it was once, the
// lines of a file NAME.
func namesOf(source fs.FS, dir, name string) ([]string, error) {
	var names []string
	entries, err := fs.ReadDir(source, path.Join(dir, name+".d"))
	if errors.Is(err, fs.ErrNotExist) {
		text, err := optional(source, path.Join(dir, name))
		return lines(text), err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func lines(text string) []string {
	var words []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			words = append(words, line)
		}
	}
	return words
}
