/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer target: any bytes as a perf map. Every function that it has is found at its first byte, and none before it begins. */
#include <stdlib.h>
#include <string.h>

#include "binary/perf_map.h"
#include "input.h"
#include "scratch.h"
#include "system/root_fs.h"

static void check_at(const struct perf_map *map, u64 address)
{
	u64 start = UINT64_MAX;
	const char *name = perf_map_find(map, address, &start);

	if (name && (start > address || !strlen(name) || strchr(name, '\n')))
		abort();
}

/* Wherever a number of the text may be an edge. */
static void check(const struct perf_map *map, const char *text)
{
	for (const char *line = text; line; line = input_next_line(line)) {
		u64 start = strtoull(line, NULL, 16);

		check_at(map, start);
		check_at(map, start - 1);
		check_at(map, start + 1);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct root_fs root = {.fd = -1, .pid = 77, .inner_pid = 77};
	struct perf_map *map = NULL;
	const char *refused = NULL;
	char *text = input_text(data, size);

	scratch_write("tmp/perf-77.map", data, size);
	root.uid = geteuid();
	if (root.fd < 0)
		root.fd = open(scratch(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (perf_map_open(&root, &map, &refused))
		abort();
	if (map)
		check(map, text);
	perf_map_free(map);
	free(text);
	return 0;
}
