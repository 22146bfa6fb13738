# SPDX-License-Identifier: GPL-2.0-or-later
#
# The heap profilers that peers.sh holds against each other, to be sourced after measure.bash: what each is started with, or how it attaches.
# What the pieces share has its names in several files.
# shellcheck shell=bash disable=SC2034,SC2154

# Where those live that this machine's release lacks or has too old.
root=$OUT/bench/peers_root
libraries=/lib/x86_64-linux-gnu
TOOLS=${TOOLS:-heaptap alloc_only inline memleak bpftrace heaptrack jemalloc tcmalloc_sampling tcmalloc_heap massif dhat memray}
attaching='memleak bpftrace floor every_one'    # those that a process need not be started with
attach_to=()                                  # heaptap's selection in place of that process
by_pid='heaptap alloc_only inline'            # those that can do either, and start short programs themselves

# A tool that takes long for each allocation has less to do.
declare -A divisor=([memleak]=50 [bpftrace]=50 [heaptap]=10 [alloc_only]=10 [massif]=10 [dhat]=10 [heaptrack]=4 [tcmalloc_heap]=20)

heaptap_options() { # TOOL
	case $1 in
	alloc_only) echo --alloc-only ;;
	inline) echo --inline ;;
	every_one) echo -R 1 ;;
	esac
}

# What memleak does, in bpftrace's words; it finds the file by the path that the process has for it.
bpftrace_program() { # FILE
	cat <<-END
		uprobe:$1:malloc { @size[tid] = arg0 }
		uretprobe:$1:malloc /@size[tid]/ { @live[retval] = @size[tid]; @stack[retval] = ustack; delete(@size[tid]) }
		uprobe:$1:free /@live[arg0]/ { delete(@live[arg0]); delete(@stack[arg0]) }
		interval:ms:500 { printf("ready\n") }
	END
}

attach() { # TOOL PID FILE: FILE is its allocator's
	local whom=("${attach_to[@]}") options
	[ ${#whom[@]} != 0 ] || whom=(-p "$2")
	read -ra options <<<"$(heaptap_options "$1")"
	case $1 in
	memleak) memleak "$2" "$3" ;;
	bpftrace) trace_in_root ready "$3" bpftrace -p "$2" -e "$(bpftrace_program "$3")" ;;
	floor) trace ready "$OUT/bench/bare" floor "$2" ;;
	*) heaptap "${options[@]}" "${whom[@]}" ;;
	esac
}

# What its ratio is of: jemalloc's own profiler is compared with jemalloc.
behind_nothing() { # TOOL
	python=(/usr/bin/python3)
	# shellcheck disable=SC2016
	local in_root=(unshare --mount sh -c 'mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"' "$root")
	case $1 in
	jemalloc) behind=(env LD_PRELOAD="$libraries/libjemalloc.so.2") ;;
	tcmalloc_*) behind=(env LD_PRELOAD="$libraries/libtcmalloc.so.4") ;;
	memray) behind=("${in_root[@]}") ;;
	*) behind=(env) ;;
	esac
}

behind_tool() { # TOOL
	local valgrind=(valgrind -q --error-exitcode=0 --smc-check=all-non-file --soname-synonyms='somalloc=*jemalloc*')
	local data=$scratch/data options
	read -ra options <<<"$(heaptap_options "$1")"
	behind_nothing "$1"
	case $1 in
	heaptrack) behind=(heaptrack -r -o "$data/track") ;;
	jemalloc) behind+=("MALLOC_CONF=prof:true,lg_prof_sample:19,prof_prefix:$data/jeprof") ;;
	tcmalloc_sampling) behind+=(TCMALLOC_SAMPLE_PARAMETER=524288) ;;
	tcmalloc_heap) behind+=(HEAPPROFILE="$data/tcmalloc") ;;
	massif) behind=("${valgrind[@]}" --tool=massif --massif-out-file="$data/massif.%p") ;;
	dhat) behind=("${valgrind[@]}" --tool=dhat --dhat-out-file="$data/dhat.%p") ;;
	memray) python+=(-m memray run -q -f -o /tmp/peers.memray) ;;
	heaptap | alloc_only | inline) behind=("$OUT/heaptap" record -q --force -o "$data/out" "${options[@]}" --) ;;
	esac
}

# Why a tool cannot be held against this work at all; nothing if it can. A missing one is named with the package that has it.
impossible() { # TOOL WORK
	local needs=''
	case $1 in
	memray)
		[ "$2" = python ] || { echo 'for Python alone'; return; }
		[ -e "$root/usr/bin/memray" ] || needs="python3-memray (Debian 13)"
		;;
	memleak)
		[ "$2" != redis ] || { echo 'it looks for mmap in the file that has malloc, and jemalloc has none'; return; }
		[ -e "$root/usr/sbin/memleak-libbpf" ] || needs='libbpf-tools (Debian 13)'
		;;
	bpftrace) [ -e "$root/usr/bin/bpftrace" ] || needs='bpftrace (Debian 13)' ;;
	heaptrack)
		[ "$2" != postgres ] || { echo 'it leaves forked children alone, and a backend is one'; return; }
		command -v heaptrack >/dev/null || needs=heaptrack
		;;
	massif | dhat) command -v valgrind >/dev/null || needs=valgrind ;;
	jemalloc) [ -e "$libraries/libjemalloc.so.2" ] || needs=libjemalloc2 ;;
	tcmalloc_*) [ -e "$libraries/libtcmalloc.so.4" ] || needs=libgoogle-perftools4 ;;
	esac
	[ -z "$needs" ] || echo "not installed: package $needs"
}

package_version() { # PACKAGE [ROOT]
	dpkg-query ${2:+--admindir="$2/var/lib/dpkg"} -W -f '${Version}' "$1" 2>/dev/null || echo 'not installed'
}

# NAME and VERSION, a tool a line.
versions() {
	local package
	printf 'machine\t%s\nprocessors\t%s\nkernel\t%s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)"
	echo "heaptap	$("$OUT/heaptap" --version | awk '{ print $2 }') $(git -C "$(dirname "$0")" rev-parse --short=12 HEAD 2>/dev/null)"
	for package in heaptrack valgrind libjemalloc2 libgoogle-perftools4 libc6 nodejs sqlite3 perl-base python3 redis-tools; do
		echo "$package	$(package_version "$package")"
	done
	[ ! -e "$root/versions" ] || cat "$root/versions"
	for package in nginx postgres; do
		echo "$package	$("$(server_program "$package")" -V 2>&1 | sed -n 's/.*[ /]\([0-9][0-9.]*\).*/\1/p' | head -n 1)"
	done
}

# Debian 13's, as packages lie on the mirror that this machine's apt uses. Nothing is installed.
fetch_root() {
	[ ! -e "$root/versions" ] || return 0
	echo "$0: fetching libbpf-tools, bpftrace, wrk and python3-memray of Debian 13 to $root (some 450 MB)" >&2
	"$(dirname "$0")/../tests/e2e/kit/unpack.sh" --closure trixie "$root" base-files libc6 dash coreutils libbpf-tools bpftrace wrk \
		python3-memray
	mkdir -p "$root"/{dev,mnt,proc,sys,tmp}
	for name in libbpf-tools bpftrace wrk python3-memray; do
		zcat "$root/usr/share/doc/$name/changelog.Debian.gz" 2>/dev/null |
			sed -n "1s/^[^ ]* (\\([^)]*\\)).*/$name (Debian 13)	\\1/p"
	done >"$root/versions"
}
