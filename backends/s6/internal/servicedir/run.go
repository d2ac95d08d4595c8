package servicedir

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

const header = "#!/bin/sh\n# Made at registration; register the service again to change it.\n"

// runScript renders run. Its own variables are positional parameters: named
// ones could be variables of the service.
func runScript(spec sm.Spec, env Env) string {
	var b strings.Builder
	b.WriteString(header)
	if spec.Log.Dir != "" {
		b.WriteString("exec 2>&1\n")
	}
	// A new life: why the last one was given up no longer holds, and only a
	// request for the death of this process counts.
	b.WriteString("echo $$ >" + LifeFile + "\n")
	b.WriteString("[ ! -e " + ParkedFile + " ] || rm -f " + ParkedFile + "\n")
	b.WriteString("set -e\n")
	if n := spec.Limits.NoFile; n != 0 {
		b.WriteString("ulimit -n " + strconv.FormatUint(n, 10) + "\n")
	}
	b.WriteString("set -- \"$PWD\"\n")
	if spec.EnvFile != "" {
		b.WriteString(envFileLoop(spec.EnvFile))
	}
	// cd sets PWD and OLDPWD, so it comes before the service's own values.
	b.WriteString("cd " + quote(spec.Dir) + "\nunset OLDPWD\n")
	b.WriteString(". \"$1/data/private/env\"\n")
	b.WriteString("exec " + quoteAll(slices.Concat(env.AsUser, spec.Command)) + "\n")
	return b.String()
}

func envScript(spec sm.Spec) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(spec.Env)) {
		b.WriteString("export " + k + "=" + quote(spec.Env[k]) + "\n")
	}
	if spec.Ready == sm.ReadyNotify {
		b.WriteString("export NOTIFY_FD=" + strconv.Itoa(ReadyFD) + "\n")
	}
	return b.String()
}

// envFileLoop reads KEY=VALUE lines. export takes the word as it is: what
// stands in the file is never evaluated. A bad line is told without its value.
func envFileLoop(path string) string {
	return `while IFS= read -r _env_line || [ -n "$_env_line" ]; do
	case $_env_line in
	'' | '#'*) continue ;;
	*=*) ;;
	*) echo "environment file: a line is not KEY=VALUE" >&2; exit 111 ;;
	esac
	case ${_env_line%%=*} in
	` + strings.Join(slices.Sorted(maps.Keys(shellOwned)), " | ") + `)
		echo "environment file: ${_env_line%%=*} belongs to the shell" >&2; exit 111 ;;
	'' | [0-9]* | *[!A-Za-z0-9_]*) echo "environment file: a line does not begin with a variable name" >&2; exit 111 ;;
	esac
	export "$_env_line"
done <` + quote(path) + "\nunset _env_line\n"
}

// CheckEnvFile says what run would object to in the text of an environment
// file, by line number; "" is nothing.
func CheckEnvFile(text string) string {
	for i, line := range strings.Split(text, "\n") {
		key, _, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case strings.IndexByte(line, 0) >= 0:
			return "line " + strconv.Itoa(i+1) + " contains a NUL byte"
		case !ok:
			return "line " + strconv.Itoa(i+1) + " is not KEY=VALUE"
		case !sm.ValidEnvKey(key):
			return "line " + strconv.Itoa(i+1) + " does not begin with a variable name"
		case shellOwned[key]:
			return "line " + strconv.Itoa(i+1) + " sets " + key + ", which belongs to the shell"
		}
	}
	return ""
}
