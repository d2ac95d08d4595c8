#!/bin/sh
# fuzz.sh LIMIT: runs every fuzz target of the module up to LIMIT, a time or a
# number of runs (20000x).
set -eu
list=$(mktemp)
trap 'rm -f "$list"' EXIT
go list -f '{{.Dir}} {{.ImportPath}}' ./... >"$list"
targets=0
while read -r dir pkg; do
	for target in $(grep -hos '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //'); do
		echo "fuzz $pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 100x -parallel 2 "$pkg" </dev/null
		targets=$((targets + 1))
	done
done <"$list"
echo "$targets targets"
[ "$targets" -gt 0 ]
