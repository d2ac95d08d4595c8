package initcmd

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
)

// become has the program and the tree run as the user who was asked for. It
// matters to root alone: everybody else runs everything as who they are.
func (o *options) become(opts *pid1.Options) error {
	if o.user == "" || os.Geteuid() != 0 {
		return nil
	}
	acct, err := execas.LookupAccount(o.user)
	if err != nil {
		return fmt.Errorf("--user %s: %w", o.user, err)
	}
	if acct.UID == 0 {
		return nil
	}
	given, err := os.Getgroups()
	if err != nil {
		return fmt.Errorf("the groups of this process: %w", err)
	}
	who := &pid1.Identity{UID: uint32(acct.UID), GID: uint32(acct.GID)}
	for _, g := range groupsFor(acct.Groups, given, rootsGroups()) {
		who.Groups = append(who.Groups, uint32(g))
	}
	opts.Identity = who
	opts.Env = replaced(pid1.Environment(), acct.Env(os.Getenv))
	return nil
}

// groupsFor are the user's own, and those that the container was given, but for
// what makes root's files readable.
func groupsFor(own, given, roots []int) []int {
	groups := slices.Clone(own)
	for _, g := range given {
		if g != 0 && !slices.Contains(roots, g) && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// rootsGroups are those that the group file gives root.
func rootsGroups() []int {
	text, err := os.ReadFile("/etc/group")
	if err != nil {
		return nil
	}
	var found []int
	for line := range bytes.Lines(text) {
		fields := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(fields) < 4 || !slices.Contains(strings.Split(fields[3], ","), "root") {
			continue
		}
		if gid, err := strconv.Atoi(fields[2]); err == nil {
			found = append(found, gid)
		}
	}
	return found
}

// replaced changes variables and leaves all else as it is, to the byte.
func replaced(env []string, vars map[string]string) []string {
	out := slices.Clone(env)
	for name, value := range vars {
		entry := name + "=" + value
		if i := slices.IndexFunc(out, func(e string) bool { return strings.HasPrefix(e, name+"=") }); i >= 0 {
			out[i] = entry
		} else {
			out = append(out, entry)
		}
	}
	return out
}
