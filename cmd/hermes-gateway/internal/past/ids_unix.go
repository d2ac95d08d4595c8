//go:build unix

package past

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/getopt"
)

// ids are who to become. Zero means as now: so has s6 it.
type ids struct {
	uid, gid int
	groups   []int
	grouped  bool // groups are to be set
}

// exitUnknownUser is what s6-envuidgid has for that.
const exitUnknownUser = 1

var idVariables = []string{"UID", "GID", "GIDLIST"}

// SetUIDGID is s6-setuidgid: it becomes a user, or UID:GID, and then a program. It
// returns only when that failed, with the exit code. Who is that user already needs
// no right, unlike with s6.
//
// Source: s6 2.15, src/daemontools-extras/s6-setuidgid.c.
func SetUIDGID(args []string, stderr io.Writer) int {
	const program = "s6-setuidgid"
	if len(args) < 2 || len(args[0]) > 1 && args[0][0] == '-' {
		return complain(stderr, program, exitUsage, errors.New("usage: s6-setuidgid USER PROGRAM [ARGUMENT...]"))
	}
	who, argv := args[0], args[1:]
	if who == "" {
		return become(program, ids{}, argv, stderr)
	}
	if uid, gid, ok := strings.Cut(who, ":"); ok {
		id := ids{grouped: true}
		var err1, err2 error
		id.uid, err1 = number(uid)
		id.gid, err2 = number(gid)
		if err1 != nil || err2 != nil {
			return complain(stderr, program, exitUsage, fmt.Errorf("%q is not UID:GID, two numbers", who))
		}
		return become(program, id, argv, stderr)
	}
	acct, err := execas.LookupAccount(who)
	if err != nil || acct.Name != who { // a number is no name
		return complain(stderr, program, exitUnknownUser, fmt.Errorf("there is no user %q on this system", who))
	}
	for _, name := range idVariables {
		if err := os.Unsetenv(name); err != nil {
			return complain(stderr, program, exitSystem, err)
		}
	}
	return become(program, ids{acct.UID, acct.GID, acct.Groups, true}, argv, stderr)
}

// ApplyUIDGID is s6-applyuidgid. It returns only when it failed, with the exit code.
//
// Source: s6 2.15, src/daemontools-extras/s6-applyuidgid.c.
func ApplyUIDGID(args []string, stderr io.Writer) int {
	const program = "s6-applyuidgid"
	id, clean, argv, err := parseApply(args)
	if err != nil {
		return complain(stderr, program, exitUsage, err)
	}
	if clean {
		for _, name := range idVariables {
			if err := os.Unsetenv(name); err != nil {
				return complain(stderr, program, exitSystem, err)
			}
		}
	}
	return become(program, id, argv, stderr)
}

func parseApply(args []string) (id ids, clean bool, argv []string, err error) {
	opts := getopt.Parser{Options: "zUu:g:G:", Words: args}
	for {
		opt, value, ok := opts.Next()
		if !ok {
			break
		}
		switch opt {
		case 'z':
			clean = true
		case 'u':
			id.uid, err = number(value)
		case 'g':
			id.gid, err = number(value)
		case 'G':
			id.grouped = true
			id.groups, err = numbers(value)
		case 'U':
			err = id.fromVariables()
		default:
			err = errors.New("usage: s6-applyuidgid [-z] [-u UID] [-g GID] [-G GID,...] [-U] PROGRAM [ARGUMENT...]")
		}
		if err != nil {
			return id, false, nil, err
		}
	}
	if argv = opts.Words; len(argv) == 0 {
		return id, false, nil, errors.New("there is no PROGRAM")
	}
	return id, clean, argv, nil
}

func (id *ids) fromVariables() error {
	var values [3]string
	for i, name := range idVariables {
		value, ok := os.LookupEnv(name)
		if !ok {
			return errors.New(name + " is not set")
		}
		values[i] = value
	}
	var err1, err2, err3 error
	id.uid, err1 = number(values[0])
	id.gid, err2 = number(values[1])
	id.groups, err3 = numbers(values[2])
	id.grouped = true
	return errors.Join(err1, err2, err3)
}

// number is an id that a process can have: -1 means none.
func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 1<<32-1 || text[0] == '+' {
		return 0, fmt.Errorf("%q is no id", text)
	}
	return int(n), nil
}

func numbers(text string) ([]int, error) {
	var all []int
	if text == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		n, err := number(word)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func become(program string, id ids, argv []string, stderr io.Writer) int {
	if err := id.apply(); err != nil {
		return complain(stderr, program, exitSystem, err)
	}
	code, err := execas.Exec(argv)
	return complain(stderr, program, code, err)
}

// apply changes all threads. Groups come with the gid, as s6 has it.
func (id ids) apply() error {
	if id.grouped && !id.isNow() {
		gid := id.gid
		if gid == 0 {
			gid = os.Getegid()
		}
		groups := id.groups
		if !slices.Contains(groups, gid) {
			groups = append([]int{gid}, groups...)
		}
		if err := syscall.Setgroups(groups); err != nil {
			return fmt.Errorf("set the groups: %w", err)
		}
	}
	if id.gid != 0 {
		if err := syscall.Setgid(id.gid); err != nil {
			return fmt.Errorf("become gid %d: %w", id.gid, err)
		}
	}
	if id.uid != 0 {
		if err := syscall.Setuid(id.uid); err != nil {
			return fmt.Errorf("become uid %d: %w", id.uid, err)
		}
	}
	return nil
}

// isNow says that a process without rights is who it is to be. Which other groups it
// has its container has decided.
func (id ids) isNow() bool {
	return id.uid != 0 && id.uid == syscall.Getuid() && id.uid == syscall.Geteuid() &&
		id.gid == syscall.Getgid() && id.gid == syscall.Getegid()
}
