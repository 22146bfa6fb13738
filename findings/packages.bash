# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scripts of findings/ share, to be sourced: packages unpacked beside the system, programs built, results compared.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
root=$scratch/root # where the packages are unpacked
# shellcheck disable=SC2034 # for the scripts
libraries=$root/usr/lib/x86_64-linux-gnu
changed=0

unable() { # SENTENCE: the finding cannot be looked at
	echo "$0: $1" >&2
	exit 2
}

# From the mirror that this machine's apt uses, with a state of apt's own. apt checks the signatures as always.
fetch() { # SUITE NAME=VERSION...
	local apt=$scratch/apt mirror package
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
	[ -n "$mirror" ] || unable 'apt knows no mirror of Debian; name one in /etc/apt/sources.list'
	mkdir -p "$apt/lists/partial" "$apt/archives" "$root/usr/lib" "$root/usr/bin"
	ln -s usr/lib "$root/lib"
	ln -s usr/bin "$root/bin"
	echo "deb [signed-by=$keys] $mirror $1 main" >"$apt/sources.list"
	: >"$apt/status"
	shift
	local options=(-qq -o "Dir::State::status=$apt/status" -o "Dir::State::lists=$apt/lists" -o Dir::Cache::pkgcache=
		-o Dir::Cache::srcpkgcache= -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none)
	apt-get "${options[@]}" update || unable 'the list of packages cannot be fetched; see above'
	(cd "$apt/archives" && apt-get "${options[@]}" download "$@") || unable "not on the mirror any longer: one of $*"
	for package in "$apt"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"
	done
	echo "package: $*"
}

build() { # [OPTION...]: a C program from standard input, called $scratch/program
	gcc -O1 -g -fno-builtin -Wall -x c -o "$scratch/program" - -x none "$@" || unable 'the program cannot be built'
}

expect() { # WHAT WANTED SEEN
	if [ "$2" = "$3" ]; then
		echo "$1: $3"
	else
		echo "$1: $3; it was $2"
		changed=1
	fi
}

expect_true() { # WHAT EXPRESSION: of integers; WHAT has their values
	if (($2)); then
		echo "$1"
	else
		echo "$1; it is no longer so that $2"
		changed=1
	fi
}

finish() {
	[ "$changed" = 0 ] && echo 'still so' && exit 0
	echo 'this has changed: correct or remove the finding'
	exit 1
}
