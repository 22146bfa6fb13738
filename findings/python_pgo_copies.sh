#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# CPython: most calls of its allocator of small objects are no calls.
#
# Expected: an object's memory comes from PyObject_Malloc, which calls _PyObject_Malloc through a pointer that PyMem_SetAllocator sets; a
# breakpoint at either sees every allocation.
# Seen: Debian builds python3.11 with a profile (PGO), so the compiler compares the pointer with the function that it nearly always has,
# and puts that function's code behind the comparison: at 268 places. In a program that makes 100 000 dictionaries a sixth at most
# of the allocations enter an exported function.
# For a profiler: breakpoints at these functions show a small part, which no one notices. If the pointer has any other value, even the address of
# padding before the same function, every comparison fails and each allocation is a call.
. "$(dirname "$0")/packages.bash"

events=/sys/kernel/tracing
[ -w $events/uprobe_events ] || unable 'it counts calls by uprobes: root, and /sys/kernel/tracing mounted'
fetch bookworm python3.11-minimal=3.11.2-6+deb12u8 libpython3.11-minimal=3.11.2-6+deb12u8
python=$root/usr/bin/python3.11
objdump -d --no-show-raw-insn "$python" >"$scratch/code"

# The function that each of these compares the pointer of the table with, and how often it is compared with that one.
places=0
for name in PyObject_Malloc PyMem_Calloc PyObject_Realloc PyObject_Free; do
	# shellcheck disable=SC2016 # the dollar is objdump's
	function=$(sed -n "/<$name@@Base>:/,/^\$/p" "$scratch/code" | sed -n 's/.*cmp  *\(\$0x[0-9a-f]\{6\}\),%rax.*/\1/p' | head -n 1)
	places=$((places + $(grep -c "cmp  *$function,%r" "$scratch/code")))
done
expect 'comparisons with _PyObject_Malloc, _PyObject_Calloc, _PyObject_Realloc, _PyObject_Free' 268 "$places"

base=$((0x400000)) # where the program is, which is not moved
add() { # NAME ADDRESS: count what is executed there
	echo "p:heaptap_finding/$1 $python:$(printf '0x%x' $((0x$2 - base)))" >>"$events/uprobe_events"
}
# shellcheck disable=SC2317 # the trap calls it
remove() {
	echo 0 >"$events/events/heaptap_finding/enable"
	sed -n 's|^p:\(heaptap_finding/[^ ]*\).*|-:\1|p' "$events/uprobe_events" | while read -r line; do
		echo "$line" >>"$events/uprobe_events"
	done
	rm -rf "$scratch"
}
trap remove EXIT
for name in PyObject_Malloc PyObject_Calloc PyMem_Malloc PyMem_Calloc; do
	add $name "$(nm -D "$python" | sed -n "s/^0*\([0-9a-f]*\) T $name.*/\1/p")"
done
echo 1 >$events/events/heaptap_finding/enable
count() { # executed so far
	awk -v file="$python" '$1 == file { sum += $3 } END { print sum + 0 }' $events/uprobe_profile
}

# sys.getallocatedblocks is the interpreter's own count of what is in use, here of blocks of which none is freed.
made=$(PYTHONHOME=$root/usr "$python" -S -c '
import sys
before = sys.getallocatedblocks()
kept = [{"a%d" % i: i, "b": [i]} for i in range(100000)]
print(sys.getallocatedblocks() - before)')
seen=$(count)
expect_true "$seen of at least $made allocations enter an exported function" "$seen * 3 < $made"
finish
