#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ocamlopt 5.3: the call frame information of a function is wrong where it asks for a larger stack.
#
# Expected: the compiler writes the rule for the frame address along with each push, and so it is right at each instruction.
# Seen: the code for a stack that is too small stands at the end of the function and is reached by a jump from before the frame is
# made, but its rule is the one of the code that stands above it, in which the frame is there. In List.flatten of the standard library
# the frame is said to end 24 bytes above the stack pointer, of which 8 do not exist.
# For a profiler: OCaml 5 makes stacks larger by malloc, so each such allocation is sampled with just this caller. An unwinder that
# trusts the rule takes a word of the caller's frame for the return address.
. "$(dirname "$0")/packages.bash"

fetch trixie libstdlib-ocaml-dev=5.3.0-3
(cd "$scratch" && ar x "$libraries/ocaml/5.3.0/stdlib.a" stdlib__List.o) || unable 'there is no List in stdlib.a'
object=$scratch/stdlib__List.o
objdump -d --no-show-raw-insn --disassemble=camlStdlib__List.flatten_328 "$object" |
	awk -F'\t' '$1 ~ /^ *[0-9a-f]+:$/ { sub(/ *<.*/, "", $2); sub(/ +/, " ", $2); gsub(/[ :]/, "", $1); print $1, $2 }' >"$scratch/code"

expect 'jump to the check, before the frame is made' 'jb 40' "$(grep -E -m 1 -o 'jb .*|sub .*,%rsp' "$scratch/code")"
expect 'frame' 'sub $0x8,%rsp' "$(grep -o 'sub .*,%rsp' "$scratch/code")"
expect 'first instruction there, entered with the return address at the stack pointer' 'push $0x22' "$(sed -n 's/^40 //p' "$scratch/code")"
expect 'next one, with the frame address 16 above the stack pointer' 'call 47' "$(sed -n 's/^42 //p' "$scratch/code")"
expect 'rule there' 'rsp+24' "$(readelf --debug-dump=frames-interp "$object" |
	awk '/ FDE /{ here = /pc=0+\.\.0*4b$/ } here && $1 ~ /^0*42$/ { print $2; exit }')"
finish
