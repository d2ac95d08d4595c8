package execas

import (
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// Account is who a process can become.
type Account struct {
	Name   string // "" where no account has that uid
	UID    int
	GID    int
	Groups []int // supplementary groups, GID among them
	Home   string
}

// LookupAccount reads USER or USER:GROUP, each a name or a number. A number
// needs no account: its group is then GROUP, else the same number. The
// supplementary groups are those the system's group file gives the account,
// and GROUP alone where a group was named.
func LookupAccount(who string) (Account, error) {
	name, group, grouped := strings.Cut(who, ":")
	if name == "" || grouped && group == "" {
		return Account{}, fmt.Errorf("%q is not USER or USER:GROUP", who)
	}
	acct, err := lookupUser(name)
	if err != nil {
		return Account{}, err
	}
	if grouped {
		gid, err := lookupGroup(group)
		if err != nil {
			return Account{}, err
		}
		acct.GID, acct.Groups = gid, []int{gid}
	}
	return acct, nil
}

// lookupUser prefers the account of that name over the number, as chown does.
func lookupUser(name string) (Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		uid, ok := parseID(name)
		if !ok {
			return Account{}, fmt.Errorf("there is no user %q on this system", name)
		}
		return lookupUID(uid, uid), nil
	}
	return accountOf(u)
}

// lookupUID returns the account of a uid, or one without a name whose group is
// gid.
func lookupUID(uid, gid int) Account {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err == nil {
		if acct, err := accountOf(u); err == nil {
			return acct
		}
	}
	return Account{UID: uid, GID: gid, Groups: []int{gid}}
}

func accountOf(u *user.User) (Account, error) {
	uid, ok1 := parseID(u.Uid)
	gid, ok2 := parseID(u.Gid)
	if !ok1 || !ok2 {
		return Account{}, fmt.Errorf("the account %s has no numeric uid and gid here", u.Username)
	}
	acct := Account{Name: u.Username, UID: uid, GID: gid, Groups: []int{gid}, Home: u.HomeDir}
	ids, err := u.GroupIds()
	if err != nil {
		return acct, nil // a system without a group file: the group alone
	}
	for _, s := range ids {
		if g, ok := parseID(s); ok && !slices.Contains(acct.Groups, g) {
			acct.Groups = append(acct.Groups, g)
		}
	}
	return acct, nil
}

func lookupGroup(name string) (int, error) {
	if g, err := user.LookupGroup(name); err == nil {
		if gid, ok := parseID(g.Gid); ok {
			return gid, nil
		}
	}
	gid, ok := parseID(name)
	if !ok {
		return 0, fmt.Errorf("there is no group %q on this system", name)
	}
	return gid, nil
}

// parseID accepts the ids a process can have: -1 (4294967295) means "leave it"
// to the system calls and is no id.
func parseID(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil && n != 1<<32-1
}
