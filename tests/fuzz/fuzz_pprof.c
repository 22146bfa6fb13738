/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any bytes as a saved profile, packed or not. What is read of one can be written in each format, and what is written as
 * .pb.gz says the same when it is read again.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/folded.h"
#include "format/pprof_read.h"
#include "format/pprof_write.h"
#include "format/table_profile.h"
#include "format/text.h"
#include "input.h"

static int memory_file(const void *data, size_t size, char path[64])
{
	int fd = input_file(data, size);

	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void write_texts(const struct profile *profile)
{
	struct table_view view = {.top = 5, .columns = 80, .stacks = true};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out || text_write(profile, out))
		abort();
	table_profile_print(profile, ALLOC_SPACE, &view, out);
	folded_write(profile, out, ALLOC_SPACE);
	if (fclose(out))
		abort();
	free(text);
}

static void read_again(const struct profile *profile)
{
	u64 before[MEASURE_MAX], after[MEASURE_MAX];
	struct profile *again;
	char *text = NULL, path[64];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int fd;

	if (!out || pprof_write(profile, out) || fclose(out))
		abort();
	fd = memory_file(text, size, path);
	if (pprof_read(path, &again))
		abort();
	profile_totals(profile, before);
	profile_totals(again, after);
	if (profile->kind != again->kind || memcmp(before, after, sizeof(before)))
		abort();
	profile_free(again);
	close(fd);
	free(text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct profile *profile;
	char path[64];
	int fd = memory_file(data, size, path);

	if (!pprof_read(path, &profile)) {
		write_texts(profile);
		read_again(profile);
		profile_free(profile);
	}
	close(fd);
	return 0;
}
