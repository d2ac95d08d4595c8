#!/bin/sh
# unprivileged.sh GO-ARGUMENTS...: runs the go command the way it runs on a
# machine without s6 and without root: as a user without rights where this is
# root, on a copy of the sources, and with no s6 program in PATH.
set -eu
go=$(command -v go)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/src" "$work/bin" "$work/home"
git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t "$work/src"
cd "$work/src"
export GOMODCACHE="$work/mod"
go mod download
# Everything but s6: a list of what the tests use would be wrong with the next test.
find /bin/ /usr/bin/ -mindepth 1 -maxdepth 1 ! -name 's6-*' -exec ln -sf -t "$work/bin" -- {} +
ln -sf "$go" "$work/bin/go"
as=
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$work"
	chown -R 10000:10000 "$work"
	as="setpriv --reuid 10000 --regid 10000 --clear-groups --"
fi
# shellcheck disable=SC2086
$as env -i HOME="$work/home" PATH="$work/bin" GOROOT="$(go env GOROOT)" GOMODCACHE="$work/mod" TMPDIR="${TMPDIR:-/tmp}" \
	GOPROXY="$(go env GOPROXY)" GONOSUMDB="$(go env GONOSUMDB)" GOFLAGS=-buildvcs=false CGO_ENABLED=0 "$go" "$@"
