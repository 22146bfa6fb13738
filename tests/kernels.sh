#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run the end-to-end tests on other Debian kernels than this machine's, in an emulator, to see that heaptap finds the way of
# attaching that each has.
#
#   tests/kernels.sh [VERSION...]     6.1 (perf-event uprobes), 6.12 (multi links), newest (session links; of trixie-backports);
#                                     default: all
#
# A kernel is fetched through apt when $OUT/kernels lacks it; delete it there for a newer one. OUT holds the built programs
# (`make e2e-programs`). The kernels run side by side; then one PASS or FAIL line per check, what a failed one printed, the sum.
#   HEAPTAP_KERNEL_TESTS     the tests/e2e/test_* to run, by their last words (default: all but those of speed and go tool); none if it is
#                            empty: then every program is loaded, each way of attaching tried, and one command recorded exactly and inside
#   HEAPTAP_KERNEL_SECONDS   limit for one kernel (default 900)
set -u
umask 022

OUT=$(realpath "${OUT:-build}") || exit 1
tests=${HEAPTAP_KERNEL_TESTS-leaks exact rungs target target_change status stop failure loss output}
limit=${HEAPTAP_KERNEL_SECONDS:-900}
here=$(dirname "$(realpath "$0")")
store=$OUT/kernels
passed=0 failed=0
[ $# -gt 0 ] || set -- 6.1 6.12 newest

# What the init script and the tests call.
commands='bash sh env mount mkdir cat grep sed sort timeout dmesg sleep cp mv rm head tail true unshare'
[ -z "$tests" ] || commands+=' setpriv sqlite3 perl python3 prlimit'

die() {
	echo "kernels: $1" >&2
	exit 1
}

install_missing() {
	local packages=''
	command -v qemu-system-x86_64 >/dev/null || packages='qemu-system-x86'
	command -v cpio >/dev/null || packages+=' cpio'
	[ -n "$packages" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $packages >/dev/null ||
		die "please install:$packages"
}

# Let apt know this release of Debian alone, whatever the machine has: a state of its own, as tests/e2e/kit/unpack.sh makes one.
use_release() { # RELEASE [SUITE]
	local state=$scratch/apt-$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
	[ -n "$mirror" ] && mkdir -p "$state/lists/partial" || return
	echo "deb [signed-by=$keys] $mirror $1 main" >"$state/sources.list"
	: >"$state/status"
	apt_options=(-o "Dir::State::status=$state/status" -o "Dir::State::lists=$state/lists" -o Dir::Cache::pkgcache=
		-o Dir::Cache::srcpkgcache= -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none "${patient[@]}")
	apt-get "${apt_options[@]}" -qq update
}

find_package() { # VERSION
	local pattern="${1//./[.]}[.][^-]*(-[0-9]+)?"
	[ "$1" != newest ] || pattern='[0-9][^-]*'
	apt-cache "${apt_options[@]}" search --names-only "^linux-image-$pattern-cloud-amd64\$" | cut -d' ' -f1 | sort -V | tail -n 1
}

# The newest package of that version, in $store/vmlinuz-VERSION: from the releases that the machine has, or else from the one that has it.
fetch() { # VERSION
	local package='' place patient=(-o APT::Sandbox::User=root -o Acquire::Retries=3) apt_options
	apt_options=("${patient[@]}")
	[ -s "$store/vmlinuz-$1" ] && return 0
	[ "$1" = newest ] || package=$(find_package "$1")
	if [ -z "$package" ]; then
		use_release "$(release_of "$1")" && package=$(find_package "$1")
	fi
	[ -n "$package" ] || { echo '    apt knows of none'; return 1; }
	# Since 6.19 the kernel itself is in a package that this one depends on.
	! apt-cache "${apt_options[@]}" -qq show "${package/image/binary}" >/dev/null 2>&1 || package=${package/image/binary}
	place=$scratch/$package
	mkdir "$place" && (set -o pipefail; cd "$place" && apt-get "${apt_options[@]}" -qq download "$package" 2>&1 | sed 's/^/    /') &&
		dpkg-deb --fsys-tarfile "$place"/*.deb | tar -xO --wildcards '*/vmlinuz*' >"$place/vmlinuz" &&
		[ -s "$place/vmlinuz" ] && mv "$place/vmlinuz" "$store/vmlinuz-$1"
}

# Into the root, with the libraries they need, at the places where this machine has them. Those of musl are not found, nor
# needed by the tests that are run.
add() { # FILE...
	local file library
	for file in "$@"; do
		install -D "$file" "$root$file" || die "cannot add $file"
		for library in $(ldd "$file" 2>/dev/null | sed -n 's|^.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p'); do
			[ -e "$root$library" ] || install -D "$library" "$root$library" || die "cannot add $library"
		done
	done
}

# As the tests expect it: programs beside each other, heaptap two directories up.
add_programs() {
	local name file files=("$OUT/heaptap" "$OUT/tests/e2e/target_leak")
	[ -z "$tests" ] || files+=("$OUT"/tests/e2e/{target_*,shim.so})
	for name in $tests; do
		files+=("$OUT/tests/e2e/test_$name")
	done
	mkdir -p "$root/heaptap/tests/e2e"
	for file in "${files[@]}"; do
		case $file in *.d | *.o) continue ;; esac
		[ -x "$file" ] || die "no $file; run make e2e-programs"
		add "$file"
		mv "$root$file" "$root/heaptap/${file#"$OUT"/}"
	done
	for name in $commands; do
		file=$(PATH=/usr/bin:/usr/sbin:/bin:/sbin type -P "$name") || die "no program $name"
		add "$file"
	done
	[ -n "$tests" ] || return 0
	# shellcheck disable=SC2046 # a list of words
	add $(/usr/bin/python3 -c 'import json, sys
print(*(m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)))')
}

make_root() {
	local link
	root=$scratch/root
	mkdir -p "$root"/{dev,etc,proc,root,sys,tmp,usr/bin,usr/sbin,usr/lib,usr/lib64}
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$root/$link"
	done
	install -m644 /etc/passwd "$root/etc/passwd"
	install -m755 "$here/fixture/kernel-init.sh" "$root/init"
	add_programs
	(cd "$root" && find . -print0 | cpio --quiet --null -o -H newc) >"$scratch/root.cpio" || die 'cannot pack the root'
}

# Emulated, and both processors in turn by one thread: hardware virtualization is not everywhere, and with a thread for each
# the emulator may run a kernel's breakpoint after the kernel has taken it away, which crashes 6.12 now and then. On a busy machine
# timer interrupts come too late for the check that 6.1 makes of them at its start, and it gives up.
boot() { # VERSION RUNG
	timeout -k 10 "$limit" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 2048 -nographic -no-reboot \
		-nodefaults -serial stdio -pidfile "$scratch/pid-$1" -kernel "$store/vmlinuz-$1" -initrd "$scratch/root.cpio" \
		-append "console=ttyS0 quiet loglevel=1 panic=-1 no_timer_check nosoftlockup rcupdate.rcu_cpu_stall_suppress=1 HEAPTAP_RUNG=$2 -- $tests" </dev/null | tr -d '\r'
}

# The way of attaching that heaptap must find on a kernel by itself.
rung_of() { # VERSION
	case $1 in
	6.1) echo perf ;;
	6.12) echo multi ;;
	newest) echo session ;;
	*) die "it is not known how heaptap should attach on $1; use 6.1, 6.12 or newest" ;;
	esac
}

# The release of Debian that has it.
release_of() { # VERSION
	case $1 in
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	newest) echo trixie-backports ;;
	esac
}

# Into $store/log-VERSION: what the machine said, whole when it did not come to its end.
run() { # VERSION RUNG
	local log=$store/log-$1
	echo 'FAIL did not run' >"$log"
	if ! fetch "$1" >"$log" 2>&1; then
		echo 'FAIL the kernel could not be fetched' >>"$log"
		return
	fi
	boot "$1" "$2" >"$log"
	grep -q '^kernel-init: done' "$log" && return
	sed -i 's/^/    /; s/^    \(PASS\|FAIL\) /\1 /' "$log"
	echo "FAIL stopped before its end (limit: $limit s)" >>"$log"
}

show() { # VERSION
	local log=$store/log-$1 p f
	grep -aE '^(PASS |FAIL |    )' "$log" | sed -E "s/^(PASS|FAIL) /\\1 $1 /"
	p=$(grep -ac '^PASS ' "$log") f=$(grep -ac '^FAIL ' "$log")
	[ $((p + f)) != 0 ] || f=1
	echo "$1: $p passed, $f failed"
	passed=$((passed + p)) failed=$((failed + f))
}

# Also when interrupted: the emulators run in the background.
clean_up() {
	local file
	for file in "$scratch"/pid-*; do
		[ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null
	done
	rm -rf "$scratch"
}

for version in "$@"; do
	rung_of "$version" >/dev/null
done
install_missing
mkdir -p "$store" && scratch=$(mktemp -d -p "$store") || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM
make_root
for version in "$@"; do
	run "$version" "$(rung_of "$version")" &
done
wait
for version in "$@"; do
	show "$version"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
