#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unpack Debian packages below a directory, from the mirror that this machine's apt uses, without installing them: no
# service starts, nothing of the machine changes.
#
#   unpack.sh [--closure SUITE] DIR PACKAGE...
#
# With --closure: of that Debian release, and everything they depend on, so that DIR is a root to run programs in.
# What depends on a package's version in its name may be asked for by a pattern, as '^postgresql-[0-9]+$'; the newest
# package that fits is taken. '?NAME' is a package that only some releases have, and others have in another package.
set -eu

closure=''
if [ "$1" = --closure ]; then
	closure=$2
	shift 2
fi
dir=$1
shift

fresh=$(mktemp -d "${TMPDIR:-/tmp}/heaptap-unpack-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
chmod 755 "$fresh"
mkdir -p "$fresh/lists/partial" "$fresh/archives/partial" "$fresh/root"
options=(-qq -o "Dir::Cache::archives=$fresh/archives" -o APT::Sandbox::User=root)

# A state of apt's own in which nothing is installed, so that it finds all that is needed.
if [ -n "$closure" ]; then
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "deb [signed-by=$keys] ${mirror:?} $closure main" >"$fresh/sources.list"
	: >"$fresh/status"
	options+=(-o "Dir::State::status=$fresh/status" -o "Dir::State::lists=$fresh/lists" -o Dir::Cache::pkgcache=
		-o Dir::Cache::srcpkgcache= -o "Dir::Etc::sourcelist=$fresh/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o APT::Install-Recommends=false -o Acquire::Languages=none)
	apt-get "${options[@]}" update
	apt-get "${options[@]}" -y --download-only install "$@"
else
	names=()
	for package in "$@"; do
		case $package in
		\?*) ! apt-cache show "${package#?}" >/dev/null 2>&1 || names+=("${package#?}") ;;
		^*) names+=("$(apt-cache pkgnames | grep -E "$package" | sort -V | tail -n 1)") ;;
		*) names+=("$package") ;;
		esac
	done
	(cd "$fresh/archives" && apt-get "${options[@]}" download "${names[@]}")
fi

# base-files first: it has the links of the merged /usr, which the others' files go through.
[ -z "$closure" ] || dpkg -x "$fresh"/archives/base-files_*.deb "$fresh/root"
for package in "$fresh"/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$fresh/root"
done
rm -rf "$dir"
mkdir -p "$(dirname "$dir")"
mv "$fresh/root" "$dir"
