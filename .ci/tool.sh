#!/bin/sh
# tool.sh FILE PACKAGE@VERSION: builds a Go tool and keeps it under a name that
# tells its version.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$(dirname "$1")"
GOBIN=$dir GOFLAGS='' go install "$2"
mv "$dir"/* "$1"
