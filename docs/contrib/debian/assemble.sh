#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# At the top of a source tree, make the debian/ that dpkg-buildpackage wants, from the files beside this script. `make deb` runs it.
#
#   docs/contrib/debian/assemble.sh VERSION SECONDS
#
# SECONDS: the time of the package, since 1970. The maintainer is $DEBFULLNAME <$DEBEMAIL>, as Debian's own tools have it: whoever gives
# packages away says there who answers for them. The version tells the packages of Debian's releases apart; one of Debian's own
# (VERSION-1) takes its place.
set -eu

[ $# = 2 ] || {
	echo 'assemble.sh: which version, and of when? docs/contrib/debian/assemble.sh 1.2.3 1700000000' >&2
	exit 2
}
maintainer="${DEBFULLNAME:-heaptap} <${DEBEMAIL:-heaptap@example.org}>"
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_ID:-sid}")

cp -R docs/contrib/debian debian
rm debian/assemble.sh
sed -i "s/@MAINTAINER@/$maintainer/" debian/control
cat >debian/changelog <<ENTRY
heaptap ($1~deb$release) unstable; urgency=medium

  * What has changed is in changelog.gz, which is upstream's CHANGELOG.md.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$2")
ENTRY
