package servicedir

import "strings"

// quote makes one word of any bytes but NUL for a POSIX shell: within single
// quotes nothing is special but the quote itself.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// shellOwned are variables that some shell keeps to itself (dash, bash,
// busybox): they cannot be set in a script, or mean something else there.
var shellOwned = map[string]bool{
	"_": true, "PPID": true, "UID": true, "EUID": true, "GROUPS": true, "LINENO": true,
	"OPTIND": true, "OPTARG": true, "SHELLOPTS": true, "BASHOPTS": true, "BASHPID": true,
	"BASH_VERSINFO": true, "PWD": true, "OLDPWD": true, "RANDOM": true, "SRANDOM": true,
	"SECONDS": true, "EPOCHSECONDS": true, "EPOCHREALTIME": true, "HISTCMD": true, "SHLVL": true,
	"BASH_COMMAND": true, "BASH_SUBSHELL": true, "FUNCNAME": true, "DIRSTACK": true, "PIPESTATUS": true,
	"BASH_ARGC": true, "BASH_ARGV": true, "BASH_ARGV0": true, "BASH_SOURCE": true, "BASH_LINENO": true,
	"BASH_ALIASES": true, "BASH_CMDS": true, "BASH_REMATCH": true, "COMP_WORDBREAKS": true,
}

// ShellOwned says whether a variable cannot be given to a service through a
// shell script.
func ShellOwned(key string) bool { return shellOwned[key] }
