#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# perf's side-band: code that mremap() moves is never reported.
#
# Expected: who records with mmap and mmap2 hears of each executable mapping: of mmap() and mprotect() there is a record.
# Seen: mremap() of an executable mapping to another address writes none. The old address is not withdrawn either.
# For a profiler: after a program has moved its code (to huge pages, as some large servers do), addresses have no file, or that of
# what was there before. Only /proc/PID/maps tells, if somebody thinks of reading it again.
. "$(dirname "$0")/packages.bash"

echo "kernel: $(uname -r)"
build -D_GNU_SOURCE <<'C'
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

/* Bytes of the side-band's records after each of three calls. */
int main(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
				       .mmap = 1, .mmap2 = 1, .exclude_kernel = 1};
	int event = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0), file = open("/proc/self/exe", O_RDONLY);
	struct perf_event_mmap_page *head = mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	void *space = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *mapped, *moved;
	unsigned long at[4];

	if (event < 0 || file < 0 || head == MAP_FAILED || space == MAP_FAILED)
		return 1;
	at[0] = head->data_head;
	mapped = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
	at[1] = head->data_head;
	moved = mremap(mapped, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, space);
	at[2] = head->data_head;
	if (mapped == MAP_FAILED || moved != space || mprotect(moved, PAGE, PROT_READ) ||
	    mprotect(moved, PAGE, PROT_READ | PROT_EXEC))
		return 1;
	at[3] = head->data_head;
	printf("%lu %lu %lu\n", at[1] - at[0], at[2] - at[1], at[3] - at[2]);
	return 0;
}
C
read -r mapped moved protected <<<"$("$scratch/program")" || unable 'perf events are refused; run it as root'
expect_true "bytes of records after mmap: $mapped, after mprotect: $protected" "$mapped > 0 && $protected > 0"
expect 'bytes of records after mremap' 0 "$moved"
finish
