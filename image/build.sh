#!/bin/sh
# build.sh TAG: builds the image with docker.
# build.sh --context DIR: makes its build context in DIR and no image.
# Needs Go, and busybox-static of Debian or the means to get it; no registry.
set -eu
cd "$(dirname "$0")/.."
usage() {
	echo "usage: $0 TAG | --context DIR" >&2
	exit 2
}
[ $# -gt 0 ] || usage
if [ "$1" = --context ]; then
	[ $# -eq 2 ] || usage
	context=$2
else
	[ $# -eq 1 ] || usage
	context=$(mktemp -d)
	trap 'rm -rf "$context"' EXIT
	trap 'exit 130' INT TERM
fi
mkdir -p "$context/bin"
cp -R image/Dockerfile image/mkroot.sh image/rootfs "$context/"
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
export CGO_ENABLED=0
go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/cli.linkedVersion=$version" \
	-o "$context/bin/hermes-gateway" ./cmd/hermes-gateway
go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$context/bin/hermes" ./image/standin

# Debian's busybox-static is /bin/busybox; that of the package busybox is not static.
if [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; then
	cp /bin/busybox "$context/bin/busybox"
else
	packages=$(mktemp -d)
	(cd "$packages" && apt-get download -qq busybox-static && dpkg-deb -x busybox-static_*.deb root) || {
		rm -rf "$packages"
		echo "there is no busybox to put into the image: install Debian's busybox-static" >&2
		exit 1
	}
	cp "$packages/root/bin/busybox" "$context/bin/busybox"
	rm -rf "$packages"
fi
[ "$1" = --context ] || docker build -q -t "$1" "$context"
