#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dwz and elfutils: what dwz -m moves into a common file is lost to libdw if it is strings alone.
#
# Expected: dwz writes what elfutils reads; both say that they implement the same extension of DWARF.
# Seen: when files share strings but no descriptions, the common file has no other debug section than .debug_str. binutils read it; libdw takes a file
# without .debug_info for one without DWARF, and reports that there is no alternative debug link.
# For a profiler: functions lose their names in just those packages that share little. It has to give libdw such a file with an empty
# .debug_info, or to read the strings itself.
. "$(dirname "$0")/packages.bash"

fetch bookworm dwz=0.15-1 elfutils=0.188-2.1 libelf1=0.188-2.1 libdw1=0.188-2.1 libasm1=0.188-2.1
cd "$scratch"
for name in first second; do
	build <<C
struct thing_of_the_$name { int a_name_that_both_of_the_programs_have; };

int main(void)
{
	struct thing_of_the_$name $name = {0};

	return $name.a_name_that_both_of_the_programs_have;
}
C
	mv program $name
done
LD_LIBRARY_PATH=$libraries "$root/usr/bin/dwz" -m common first second
expect 'debug sections of the common file' '.debug_str ' "$(readelf -SW common | grep -o '\.debug_[a-z]*' | tr '\n' ' ')"
expect 'members named by readelf' 1 "$(readelf --debug-dump=info,follow-links first 2>/dev/null | grep -c 'alt indirect.*a_name_that_both')"
expect 'what eu-readelf says of the member' 'no alternative debug link found' \
	"$(LD_LIBRARY_PATH=$libraries "$root/usr/bin/eu-readelf" --debug-dump=info first 2>&1 |
		sed -n "s/.*'name' (GNU_strp_alt) value: //p" | head -n 1)"
finish
