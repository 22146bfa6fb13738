#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where the processors' time of a build under record --follow --inline goes: make with gcc on FILES files, untraced and recorded in turn, each
# under perf record -e cpu-clock. A sample is booked by the function it was taken in and those that called it. The compiler's own code does
# the same work in both, so it is the measure: all else is in relation to it, and other work on the machine shows little. Pages that are
# cleared are left out, as that takes ten times as long where the hypervisor has to find the memory first. ROUNDS (default 3).
ROUNDS=${ROUNDS:-3}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=bench/source_tree.bash
. "$(dirname "$0")/source_tree.bash"

FILES=${FILES:-100}
HERTZ=4000
source_tree "$scratch/source" "$FILES"

# perf is part of COMMAND, so that it sees its children alone. --buildid-mmap: while heaptap records, kernels mark the mappings of all
# readers as having build ids, and perf 6.1 ends by those that it has not asked for.
cat >"$scratch/sampled" <<EOF_SAMPLED
#!/bin/bash
before=\$(awk '{ print \$14 + \$15 }' "/proc/\$PPID/stat")
perf record -q --buildid-mmap -e cpu-clock -F $HERTZ -g -o "\$1" make -s -j2 -C "$scratch/source" >/dev/null 2>&1
echo "\$((\$(awk '{ print \$14 + \$15 }' "/proc/\$PPID/stat") - before))" >"\$1.ticks"
EOF_SAMPLED
chmod +x "$scratch/sampled"

sampled() { # NAME COMMAND...
	local name=$1
	shift
	rm -f "$scratch"/source/*.o
	LD_LIBRARY_PATH=$scratch "$@" "$scratch/sampled" "$scratch/perf" >/dev/null 2>&1
	perf script -i "$scratch/perf" -F comm,ip,sym,dso 2>/dev/null >>"$scratch/$name"
	cat "$scratch/perf.ticks" >>"$scratch/$name.ticks"
}

for ((round = 0; round < ROUNDS; round++)); do
	sampled untraced env
	sampled inline "$OUT/heaptap" record -q -o "$scratch/out" --force --follow --inline --
done

# "WHAT SAMPLES" of all rounds.
book() { # NAME
	awk '
	function cause() {
		if (leaf !~ /kernel|bpf_prog|^\[/) {
			if (leaf ~ /\/cc1$/) return "the compiler'"'"'s own code"
			return leaf ~ /\/libc\.so/ ? "libc, and the sampler in it" : "other code of the processes"
		}
		if (calls ~ /inline_site/) return "traps of samples and of their ends: stacks and events"
		if (calls ~ /uprobe_mmap/) return "breakpoints set when a file is mapped"
		if (calls ~ /uprobe|int3/) return "traps: entry, finding the probe, going on"
		if (calls ~ /perf_event_(mmap|comm|fork|task)/) return "records of mappings, names and forks"
		if (calls ~ /bpf_trace_run/) return "tracepoints of fork, exec and exit, and waking heaptap"
		if (calls ~ /page_fault/) return "page faults"
		if (calls ~ /irq_work|sysvec|common_interrupt/) return "interrupts"
		if (calls ~ /mmap/) return "mmap"
		return "other calls of the kernel"
	}
	function end() {
		if (leaf != "" && calls !~ /^ clear_page/) samples[cause()]++
		leaf = calls = ""
	}
	/^$/ { end(); next }
	/^\t/ {
		if (leaf == "") { leaf = $NF; gsub(/[()]/, "", leaf) }
		calls = calls " " $2
	}
	END { end(); for (what in samples) printf "%s\t%d\n", what, samples[what] }' "$scratch/$1"
}

for name in untraced inline; do book "$name" >"$scratch/$name.booked"; done
echo "make, gcc on $FILES files, ms of the processors' time of one build, of $ROUNDS rounds: untraced, recorded, more"
awk -F'\t' -v ms="$(calc "1000 / $HERTZ / $ROUNDS")" '
	FNR == NR { untraced[$1] = $2; total += $2; next }
	{ inline[$1] = $2 }
	END {
		own = "the compiler'"'"'s own code"
		scale = untraced[own] / inline[own]
		for (what in inline) {
			sum += inline[what] * scale
			printf "%8.1f %8.1f %+8.1f  %s\n", untraced[what] * ms, inline[what] * scale * ms, (inline[what] * scale - untraced[what]) * ms, what | "sort -rn -k3,3"
		}
		close("sort -rn -k3,3")
		printf "%8.1f %8.1f %+8.1f  all: %.3f x\n", total * ms, sum * ms, (sum - total) * ms, sum / total
	}' "$scratch/untraced.booked" "$scratch/inline.booked"
# shellcheck disable=SC2046
figure 'CPU of heaptap meanwhile, a build' "$(calc "$(median $(<"$scratch/inline.ticks")) * 1000 / $(getconf CLK_TCK)")" ms
finish
