/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a page of a large profile takes: SITES stacks that all differ, DEPTH functions deep, ten live samples each. Lines:
 * milliseconds of CPU time to read its .pb.gz, and to make the page's data of it; bytes of both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/view/wide_profile.h"

#include "format/page_data.h"
#include "format/pprof_read.h"
#include "format/pprof_write.h"

static u64 cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}

static size_t write_page(const struct profile *profile)
{
	struct index_entry entry = index_entry_of(profile, NULL);
	struct page page = {.title = "wide", .entries = &entry, .entry_count = 1};
	struct page_view view = {.name = "wide", .profile = profile};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out || page_data_add_view(&page, &view) || page_data_write(&page, out))
		exit(1);
	fclose(out);
	page_data_release(&page);
	free(text);
	return size;
}

int main(int argc, char **argv)
{
	u32 sites = argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 100000;
	u32 depth = argc > 2 ? (u32)strtoul(argv[2], NULL, 10) : 30;
	char path[] = "/tmp/heaptap-page.XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	struct profile *profile;
	struct wide_profile wide;
	u64 start, read_ns;
	size_t page;
	long file;

	wide_profile_make(&wide, sites, depth);
	wide_profile_add_lifetimes(&wide);
	if (!out || pprof_write(&wide.profile, out))
		return 1;
	file = ftell(out);
	fclose(out);
	start = cpu_ns();
	if (pprof_read(path, &profile))
		return 1;
	unlink(path);
	read_ns = cpu_ns() - start;
	start = cpu_ns();
	page = write_page(profile);
	printf("read %.0f ms %ld bytes\npage %.0f ms %zu bytes\n", (double)read_ns / 1e6, file,
	       (double)(cpu_ns() - start) / 1e6, page);
	profile_free(profile);
	wide_profile_release(&wide);
	return 0;
}
