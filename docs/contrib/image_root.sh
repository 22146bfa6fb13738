#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make the root of a container image: heaptap, the libraries that it is linked with, libcurl, which it loads when it pushes, with those that
# libcurl is linked with, and the certificates of this machine.
#
#   docs/contrib/image_root.sh build/heaptap DIR
set -eu

[ $# = 2 ] || {
	echo 'image_root.sh: which program, and into which directory? docs/contrib/image_root.sh build/heaptap DIR' >&2
	exit 2
}
program=$1 root=$2

install -D -m 755 "$program" "$root/usr/sbin/heaptap"
curl=$(PATH=$PATH:/sbin ldconfig -p | awk '$1 == "libcurl-gnutls.so.4" && !found { print $NF; found = 1 }')
[ -n "$curl" ] || {
	echo 'image_root.sh: there is no libcurl, by which heaptap pushes: install the package libcurl3-gnutls' >&2
	exit 3
}
# "libelf.so.1 => /lib/.../libelf.so.1 (0x...)", and the loader without an arrow.
{
	echo "$curl"
	ldd "$program" "$curl" | awk '$2 == "=>" { print $3 } $1 ~ /^\/.*[^:]$/ { print $1 }'
} | sort -u | while read -r library; do
	install -D -m 755 "$library" "$root$library"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
