/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Recordings of small profiles in the scratch directory. */
#include "unit/profile/golden.h"

#include <fcntl.h>

#include "unit/base/capture.h"
#include "unit/system/scratch.h"
#include "unit/binary/shell.h"
#include "base/string_list.h"
#include "base/status.h"
#include "format/index_write.h"
#include "format/output_file.h"

__attribute__((unused)) static struct capture errors;

static inline void assert_contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

/* A recording of the given profiles, with or without its index. */
static inline void record(const struct profile *const *profiles, u32 count, bool index)
{
	struct recording recording = {.version = "1", .sample_bytes = profiles[0]->sample_bytes, .attach = "multi"};
	struct index_entry entries[4];
	char **files[4];
	int dir;

	run("rm -rf %s/*", scratch_path);
	dir = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(output_file_write(dir, profiles[i], FORMAT_PPROF | FORMAT_TEXT, "", &files[i]), 0);
		entries[i] = index_entry_of(profiles[i], files[i]);
	}
	if (index)
		assert_int_equal(index_write_file(dir, &recording, entries, count), 0);
	for (u32 i = 0; i < count; i++)
		string_list_free(files[i]);
	close(dir);
}

static inline struct profile one(u32 pid, const char *comm)
{
	struct profile profile = golden_small();

	profile.pid = pid;
	profile.comm = (char *)comm;
	profile.peak_inuse_space = 9 << 20;
	profile.slowdown_percent = 100 * 190000 * profile.hit_cost_ns / profile.cpu_ns;
	return profile;
}

static inline void record_two(bool index)
{
	struct profile first = one(7, "first"), second = one(800, "second");

	record((const struct profile *const[]){&second, &first}, 2, index);
}
