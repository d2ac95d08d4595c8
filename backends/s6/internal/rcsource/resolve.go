package rcsource

import (
	"fmt"
	"slices"
	"strings"
)

// pipelines checks who reads whose output, and makes the names for both.
func (s set) pipelines() error {
	var names []string
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d := s[name]
		for _, from := range d.consumer {
			if p := s[from]; p == nil || p.producer != name {
				return fmt.Errorf("%s/consumer-for names %s, which is not a producer for it; write %q into %s/producer-for", name, from, name, from)
			}
		}
		if d.producer != "" {
			c := s[d.producer]
			if c == nil || !slices.Contains(c.consumer, name) {
				return fmt.Errorf("%s/producer-for names %s, which is not a consumer for it; write %q into %s/consumer-for", name, d.producer, name, d.producer)
			}
		}
		if d.producer != "" && len(d.consumer) > 0 || len(d.consumer) > 1 {
			return fmt.Errorf("%s is in a pipeline of more than two; here a service has one logger, which reads from it alone: have them write to a file or a socket between them", name)
		}
	}
	for _, name := range names {
		d := s[name]
		if d.pipeline == "" {
			continue
		}
		if s[d.pipeline] != nil {
			return fmt.Errorf("%s/pipeline-name: %s is defined already; choose another name", name, d.pipeline)
		}
		s[d.pipeline] = &definition{name: d.pipeline, kind: bundle, contents: append([]string{name}, d.consumer...)}
	}
	return nil
}

// service is the name under which a definition runs: a logger with who it reads from.
func (d *definition) service() string {
	if len(d.consumer) == 1 {
		return d.consumer[0]
	}
	return d.name
}

// expand returns the services that a name stands for; who says who names it.
func (s set) expand(who, name string, above []string) ([]string, error) {
	d := s[name]
	switch {
	case d == nil && (slices.Contains(builtIn, name) || slices.Contains(roots, name)):
		return nil, nil
	case d == nil:
		return nil, fmt.Errorf("%s names %s, which is not defined; define it, or remove the name", who, name)
	case slices.Contains(above, name):
		return nil, fmt.Errorf("%s is in a circle of bundles: %s; remove one", name, strings.Join(append(above, name), ", "))
	case d.kind != bundle:
		return []string{d.service()}, nil
	}
	var all []string
	for _, n := range d.contents {
		found, err := s.expand(name, n, append(above, name))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// enabled returns what is to run, with all that it needs.
func (s set) enabled() ([]Service, error) {
	if len(s) == 0 {
		return nil, nil
	}
	if s["user"] == nil && s["user2"] == nil {
		return nil, fmt.Errorf("nothing says which services are to run: there is no bundle user; make user/type with the word bundle, and an empty file user/contents.d/NAME for each")
	}
	o := ordering{set: s, state: map[string]int{}}
	for _, root := range roots {
		names, err := s.expand(root, root, nil)
		if err != nil {
			return nil, err
		}
		slices.Sort(names)
		for _, name := range names {
			if err := o.add(name, nil); err != nil {
				return nil, err
			}
		}
	}
	return o.services, nil
}

// ordering puts services behind what they need.
type ordering struct {
	set      set
	state    map[string]int // 1: being added, 2: added
	services []Service
}

func (o *ordering) add(name string, above []string) error {
	switch o.state[name] {
	case 2:
		return nil
	case 1:
		return fmt.Errorf("%s needs itself: %s; remove one of these dependencies", name, strings.Join(append(above, name), ", "))
	}
	o.state[name] = 1
	d := o.set[name]
	svc := Service{Name: name, Oneshot: d.kind == oneshot, Up: d.up, Down: d.down, Logger: d.producer}
	members := []*definition{d}
	if d.producer != "" {
		members = append(members, o.set[d.producer])
	}
	for _, m := range members {
		for _, n := range m.needs {
			found, err := o.set.expand(m.name, n, nil)
			if err != nil {
				return err
			}
			svc.Needs = append(svc.Needs, found...)
		}
	}
	slices.Sort(svc.Needs)
	svc.Needs = slices.Compact(svc.Needs)
	if d.producer != "" { // its logger needs it, or it its logger
		svc.Needs = slices.DeleteFunc(svc.Needs, func(n string) bool { return n == name })
	}
	for _, n := range svc.Needs {
		if err := o.add(n, append(above, name)); err != nil {
			return err
		}
	}
	o.state[name] = 2
	o.services = append(o.services, svc)
	return nil
}
