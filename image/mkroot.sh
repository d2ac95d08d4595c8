#!/bin/sh
# mkroot.sh CONTEXT ROOT: makes the root file system of the image in ROOT, from a
# context that build.sh has made. Needs root and nothing but the context: its own
# busybox does the work, in a Dockerfile or without one.
set -eu
umask 022
context=$1 root=$2 box=$1/bin/busybox
for dir in bin usr/bin usr/local/bin etc dev proc sys root run tmp var/tmp opt/data; do
	"$box" mkdir -p "$root/$dir"
done
"$box" cp "$box" "$root/bin/busybox"
for applet in $("$box" --list); do
	[ -e "$root/bin/$applet" ] || "$box" ln -s busybox "$root/bin/$applet"
done
"$box" cp "$context/bin/hermes-gateway" "$context/bin/hermes" "$root/usr/local/bin/"
"$box" cp -R "$context/rootfs/." "$root/"
"$box" chown -R 0:0 "$root"
"$box" chmod -R u=rwX,go=rX "$root/etc"
"$box" chmod 755 "$root/bin/busybox" "$root/usr/local/bin/hermes-gateway" "$root/usr/local/bin/hermes"
# Everybody can make the scan directory, whoever the container runs as.
"$box" chmod 1777 "$root/run" "$root/tmp" "$root/var/tmp"
"$box" chmod 700 "$root/root"
"$box" chown 10000:10000 "$root/opt/data"
