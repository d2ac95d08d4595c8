#!/bin/sh
# Installs the programs that the tests drive, or says what is missing.
set -eu
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need s6-svscan s6
need s6-log s6
need strace strace
need shellcheck shellcheck
need setpriv util-linux
need gcc gcc # the race detector, and the programs that are measured with
need tini tini
need dumb-init dumb-init
need catatonit catatonit
# Containers: the image's shell, which the dynamic package would not be, and runc
# for where no docker engine answers.
need runc runc
[ -e /usr/share/doc/busybox-static ] || missing="$missing busybox-static"
[ -z "$missing" ] && exit 0
# shellcheck disable=SC2086
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq $missing >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $missing >/dev/null; }
else
	echo "the tests need these Debian packages; install them as root:" >&2
	echo "    apt-get install$missing" >&2
	exit 1
fi
