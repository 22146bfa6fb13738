#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# BPF ring buffers: who maps one of 16 MiB has 32 MiB more RSS at once, without a byte read.
#
# Expected: RSS grows with the pages that are touched, and each page counts once.
# Seen: mmap() enters all pages of the ring, and the data twice, since the ring is mapped twice in a row so that records never wrap. They
# count as RssFile, the kind that is thought of as page cache that can be dropped.
# For a profiler: a monitor of its own RSS, or an operator's, sees twice the ring. Its cgroup is charged for the ring once, as kernel
# memory, and not where the process maps it but where the map was made.
. "$(dirname "$0")/packages.bash"

echo "kernel: $(uname -r)"
build -D_GNU_SOURCE <<'C'
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define RING (16 << 20)

static long kib(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long value = -1;

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	if (file)
		fclose(file);
	return value;
}

/* KiB more of RssFile and RssAnon after the ring is made, and after it is mapped. */
int main(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = RING};
	long file_before = kib("RssFile:"), anonymous = kib("RssAnon:"), file_made;
	int ring = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	file_made = kib("RssFile:");
	if (ring < 0 || mmap(NULL, PAGE + 2L * RING, PROT_READ, MAP_SHARED, ring, PAGE) == MAP_FAILED)
		return 1;
	printf("%ld %ld %ld\n", file_made - file_before, kib("RssFile:") - file_made, kib("RssAnon:") - anonymous);
	return 0;
}
C
read -r made mapped anonymous <<<"$("$scratch/program")" || unable 'BPF maps are refused; run it as root'
expect_true "KiB more of RssFile once a ring of 16384 KiB is made: $made" "$made < 1024"
expect_true "once it is mapped: $mapped (and $anonymous of RssAnon)" "$mapped >= 2 * 16384 && $mapped < 2 * 16384 + 1024"
finish
