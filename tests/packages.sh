#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For Debian 12 and 13 each: `make deb` in a fresh root, which checks it by lintian; then install the package in another fresh root that
# has none of what builds it, and record there with it. Needs root, and the archive that this machine's apt uses. `make packages` runs it.
#
#   OUT=build tests/packages.sh [SUITE]...
#
# Roots are kept in $OUT/roots as debootstrap left them; what is tried in one is tried in a copy. The packages come to $OUT/packages.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${OUT:-build}")
work=$out/packages.work
[ $# -gt 0 ] || set -- bookworm trixie
[ "$(id -u)" = 0 ] || {
	echo 'packages.sh: needs root, to make roots and to trace: try sudo' >&2
	exit 3
}

mirror() {
	awk '/^(URIs: |deb (\[.*\] )?)https?:.*debian\/?( |$)/ { for (i = 1; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' \
		<(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null)
}

# debootstrap's root, with the proxies and authorities that this machine's apt has.
make_root() { # SUITE
	local root=$out/roots/$1
	[ -e "$root/complete" ] && return
	rm -rf "$root"
	mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
	# Nobody needs it after a crash of the machine.
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	debootstrap --variant=minbase "$1" "$root" "$(mirror)" >"$root.log" 2>&1 || {
		tail -n 20 "$root.log"
		return 1
	}
	cp -RL /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
	touch "$root/complete"
}

# In mount and PID namespaces of its own, which end with it, so that nothing stays mounted or runs on.
# shellcheck disable=SC2016 # the shell inside expands it
inside() { # ROOT COMMAND...
	unshare --mount --pid --fork --kill-child --propagation private /bin/sh -c '
		set -e
		root=$1
		shift
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		for place in /sys /dev; do
			mount --rbind "$place" "$root$place"
		done
		mount -t tmpfs tmp "$root/tmp"
		cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			http_proxy="$http_proxy" https_proxy="$https_proxy" no_proxy="$no_proxy" "$@"' sh "$@"
}

version_of() { # ROOT
	# shellcheck source=/dev/null
	(. "$1/etc/os-release" && echo "$VERSION_ID")
}

# What is committed, cloned, as git in the root sees it.
build_package() { # SUITE
	local root=$work/build
	rm -rf "$root"
	cp -a "$out/roots/$1" "$root"
	git clone -q . "$root/source"
	chown -R 0:0 "$root/source"
	inside "$root" sh -c 'apt-get -qq update && apt-get -qq -y install --no-install-recommends git make ca-certificates >/dev/null &&
		cd /source && make deb'
	mkdir -p "$out/packages"
	rm -f "$out/packages"/*~deb"$(version_of "$root")"_amd64.deb
	cp "$root"/source/build/deb/*.deb "$out/packages/"
}

# As whoever installs it: a first recording, one of which every allocation is counted, the verbs that read it; push finds libcurl.
# shellcheck disable=SC2016 # the shell inside expands it
try_programs='
	heaptap --version
	heaptap doctor >/doctor
	tail -n 3 /doctor
	cd /tmp
	heaptap record -- /bin/ls / >/dev/null
	heaptap record -q -R 1 -f all -o /recording -- perl -e "my %kept = map { \$_ => \"x\" x 100 } 1 .. 1000"
	heaptap report /recording >/report
	head -n 12 /report
	grep -q "^[0-9]* perl .*every allocation, ended" /report
	heaptap push --to pyroscope+http://127.0.0.1:9 /recording 2>&1 | tee /push.log || true
	if grep libcurl /push.log; then exit 1; fi'

# What a person finds: the manual by its name, what the tabulator key completes, the examples.
# shellcheck disable=SC2016
try_manual_and_completion='
	man heaptap >/manual
	grep -m 1 -A 1 "^NAME" /manual
	printf "heaptap repo\t--life\t/recor\t >/completed\nexit\n" |
		script -qec "bash --rcfile /usr/share/bash-completion/bash_completion -i" /dev/null >/typed
	grep "heaptap report --lifetimes /recording/" /typed
	grep -q "^[0-9]* perl " /completed
	ls /usr/share/doc/heaptap/examples
	grep -H "^ExecStart=/usr/sbin/heaptap" /usr/share/doc/heaptap/examples/*.service'

# All gone again, also what no list of dpkg names. The page that man keeps formatted is man's own.
# shellcheck disable=SC2016
try_removal='
	dpkg -L heaptap | while read -r file; do test -d "$file" || echo "$file"; done >/installed
	wc -l </installed
	apt-get -qq -y remove heaptap >/dev/null
	while read -r file; do test ! -e "$file" || { echo "left: $file"; exit 1; }; done </installed
	left=$(find / -xdev -path /var/cache/man -prune -o -name "*heaptap*" -print)
	test -z "$left" || { echo "left: $left"; exit 1; }
	if dpkg-query -W heaptap 2>/dev/null; then exit 1; fi'

try_package() { # SUITE
	local root=$work/try
	rm -rf "$root"
	cp -a "$out/roots/$1" "$root"
	cp "$out/packages"/heaptap_*~deb"$(version_of "$root")"_amd64.deb "$root/heaptap.deb"
	inside "$root" sh -e -c '
		apt-get -qq update
		apt-get -qq -y install /heaptap.deb man-db bash-completion >/dev/null
		rm /heaptap.deb'"$try_programs$try_manual_and_completion$try_removal"
}

http_proxy=${http_proxy:-} https_proxy=${https_proxy:-} no_proxy=${no_proxy:-}
export http_proxy https_proxy no_proxy
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
.ci/setup package
for suite in "$@"; do
	echo "== $suite"
	make_root "$suite"
	build_package "$suite"
	try_package "$suite"
done
echo "packages: $out/packages"
