#!/bin/sh
# demo.sh BINARY: the main job end to end, as an unprivileged user, on our own
# supervision tree: nothing but the binary, sh and coreutils. Prints each command
# before its output, checks every expectation, and ends with figures.
set -eu
bin=$1
[ "$(uname -s)" = Linux ] || {
	echo "the demo needs Linux: there is no supervision tree on this system" >&2
	exit 1
}
umask 022
if [ "$(id -u)" -eq 0 ]; then # become somebody without rights, with a copy of the program to execute
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	trap 'exit 130' INT TERM
	chmod 755 "$dir"
	cp "$bin" "$dir/hermes-gateway"
	cp "$0" "$dir/demo.sh"
	mkdir "$dir/tmp"
	chown 10000:10000 "$dir/tmp"
	cd /
	TMPDIR=$dir/tmp "$dir/hermes-gateway" exec-gateway --user 10000:10000 -- /bin/sh "$dir/demo.sh" "$dir/hermes-gateway"
	exit
fi

top=$(mktemp -d)
tree='' watcher='' follower=''
finish() {
	status=$?
	trap - EXIT
	for pid in $follower $watcher $tree; do
		if kill "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi
	done
	for pid in $(ours); do kill -9 "$pid" 2>/dev/null || true; done # after a failure only
	if [ "$status" -ne 0 ] && [ -e "$top/tree.log" ]; then cat "$top/tree.log" >&2; fi
	rm -rf "$top"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Everything below happens in this directory and ends with it.
export HERMES_HOME="$top/home" HERMES_SCANDIR="$top/service" HERMES_GATEWAY_COMMAND="$top/gateway" NO_COLOR=1
mkdir -p "$HERMES_SCANDIR" "$HERMES_HOME/profiles/coder" "$HERMES_HOME/profiles/writer"
touch "$HERMES_HOME/profiles/coder/SOUL.md" "$HERMES_HOME/profiles/writer/SOUL.md"
cat >"$HERMES_GATEWAY_COMMAND" <<'GATEWAY'
#!/bin/sh
# A stand-in for a gateway: it says that it is there and serves until it is told
# to end. With a file "broken" in its directory it cannot work.
if [ -e broken ]; then
	echo "gateway cannot open its data base"
	exit 1
fi
trap 'echo "gateway ends"; exit 0' TERM
trap 'echo "gateway $$ works on"' USR1
# Something to wait for that ends with us, whatever ends us: we alone hold the
# other end.
mkfifo "$0.$$"
exec 4<>"$0.$$"
cat "$0.$$" >/dev/null 2>&1 4>&- 3>&- &
rm -f "$0.$$"
echo "gateway $$ is listening"
echo >&3 # ready
exec 3>&-
while :; do wait; done
GATEWAY
chmod +x "$HERMES_GATEWAY_COMMAND"

checks=0
say() { printf '\n# %s\n' "$*"; }
run() {
	printf '$ hermes-gateway'
	printf ' %s' "$@"
	printf '\n'
	"$bin" "$@"
}
s6() {
	echo "\$ s6-$*"
	tool=$1
	shift
	"s6-$tool" "$@"
}
# fails CODE COMMAND...: the command must end with that code.
fails() {
	want=$1 got=0
	shift
	run "$@" || got=$?
	expect "exit code $got" test "$got" -eq "$want"
}
expect() {
	what=$1
	shift
	if "$@"; then
		checks=$((checks + 1))
	else
		echo "EXPECTED: $what" >&2
		exit 1
	fi
}
# has TEXT PATTERN: the text contains what the pattern says.
has() { case $1 in *$2*) ;; *) return 1 ;; esac }
status_has() { has "$("$bin" status "$1" --json)" "$2"; }
pid_of() {
	rest=$("$bin" status "$1" --json)
	rest=${rest#*'"pid":'}
	echo "${rest%%[!0-9]*}"
}
# ours prints the processes that have the environment of this demo.
ours() {
	for p in /proc/[0-9]*; do
		env=$(tr '\0' ' ' 2>/dev/null <"$p/environ") || continue
		if has "$env" "HERMES_SCANDIR=$top/service" && [ -e "$p" ]; then echo "${p#/proc/}"; fi
	done 2>/dev/null
}
# start_tree returns when it takes commands.
start_tree() {
	echo "\$ hermes-gateway svscan $HERMES_SCANDIR &"
	"$bin" svscan -d 3 "$HERMES_SCANDIR" 3>"$top/ready" 2>>"$top/tree.log" 4>&- 5>&- &
	tree=$!
	read -r _ <"$top/ready"
	echo "the tree is up, pid $tree"
}
# watch NAME follows its status on descriptor 4, until unwatch.
watch() {
	mkfifo "$top/watch"
	"$bin" status "$1" --watch >"$top/watch" &
	watcher=$!
	exec 4<"$top/watch"
	rm "$top/watch"
	read -r line <&4
}
# await PATTERN prints what is watched until a line has it.
await() {
	while read -r line <&4; do
		echo "$line"
		if has "$line" "$1"; then return 0; fi
	done
	return 1
}
unwatch() {
	exec 4<&-
	kill "$watcher"
	wait "$watcher" || true
	watcher=''
}

say "a tree of our own, as uid $(id -u)"
mkfifo "$top/ready"
start_tree

say "two gateways are registered and started"
run register coder --up --ready
run register writer --up --ready
run wait coder writer --for ready
run status
expect "both are up" "$bin" status --healthy --quiet

say "one is killed and comes back"
old=$(pid_of coder)
watch coder
echo "$ kill -9 $old"
kill -9 "$old"
expect "coder comes back" await " up "
unwatch
run wait coder --for ready
expect "another process" test "$(pid_of coder)" -ne "$old"
run status coder --explain

say "one that keeps crashing is started less and less often"
touch "$HERMES_HOME/profiles/writer/broken"
watch writer
echo "$ kill -9 $(pid_of writer)"
kill -9 "$(pid_of writer)"
expect "a pause" await " backoff*SIGKILL"
expect "a pause after another try" await " backoff*exit code 1"
unwatch
fails 1 status writer
expect "writer is in backoff" status_has writer '"state":"backoff"'
rm "$HERMES_HOME/profiles/writer/broken"
run start writer # at once, whatever pause runs
run wait writer --for ready
expect "writer is up again" status_has writer '"state":"up"'

say "its log is followed across a restart"
mkfifo "$top/log"
"$bin" logs coder -f >"$top/log" &
follower=$!
exec 5<"$top/log"
run restart coder
seen=0
while [ "$seen" -lt 4 ] && read -r line <&5; do # there, killed and back, ended, back
	echo "$line"
	seen=$((seen + 1))
done
expect "four lines of log" test "$seen" -eq 4
run wait coder --for ready

if command -v s6-svstat >/dev/null; then
	say "s6's own tools see the same"
	service=$HERMES_SCANDIR/gateway-coder
	s6 svstat "$service"
	old=$(pid_of coder)
	expect "the same pid" test "$(s6-svstat -o pid "$service")" -eq "$old"
	s6 svc -wD -T 10000 -d "$service"
	expect "coder is down" status_has coder '"state":"down"'
	s6 svc -wU -T 10000 -u "$service"
	expect "another process" test "$(pid_of coder)" -ne "$old"
else
	say "s6's own tools are not installed: nothing to compare with"
fi

say "the tree itself is killed: the services live on, and the next tree adopts them"
old=$(pid_of coder)
echo "$ kill -9 $tree"
kill -9 "$tree"
wait "$tree" 2>/dev/null || true
fails 4 status coder
expect "the service lives" kill -0 "$old"
kill -USR1 "$old" # it writes a line, that nobody reads at the moment
start_tree
run wait coder writer --for ready
run status coder
expect "the same process" test "$(pid_of coder)" -eq "$old"
expect "it is adopted" status_has coder '"adopted":true'
while read -r line <&5; do # nothing was lost
	echo "$line"
	if has "$line" "gateway $old works on"; then break; fi
done
expect "the line of meanwhile" has "$line" "gateway $old works on"
exec 5<&-
kill "$follower"
wait "$follower" || true
follower=''

say "errors say what to do"
fails 5 stop nobody
fails 2 register ../etc

say "all is removed"
run unregister coder writer
expect "no service is left" test -z "$("$bin" list)"
kill "$tree"
expect "the tree ends well" wait "$tree"
tree=''
files=0
for f in "$HERMES_SCANDIR"/* "$HERMES_SCANDIR"/.hg-*; do
	[ ! -e "$f" ] || files=$((files + 1))
done
expect "no file is left" test "$files" -eq 0
processes=0
for pid in $(ours); do processes=$((processes + 1)); done
expect "no process is left" test "$processes" -eq 0
printf '\n%s checks held; %s processes and %s files are left\n' "$checks" "$processes" "$files"
