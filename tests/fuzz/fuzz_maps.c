/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer target: any text as /proc/PID/maps, line by line, and as /proc/PID/smaps. What they give must keep its promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/smaps.h"

static void read_maps(const char *text)
{
	struct mapping mapping = {0};

	for (; text; text = input_next_line(text)) {
		if (proc_maps_parse(text, &mapping))
			continue;
		if (mapping.start >= mapping.end || !mapping.path || !*mapping.path || mapping.elf)
			abort();
		free(mapping.path);
	}
}

static void read_smaps(const u8 *data, size_t size)
{
	FILE *in = fmemopen((void *)data, size, "r");
	struct smaps smaps;

	if (!in || smaps_parse(in, &smaps))
		abort();
	for (u32 i = 0; i < smaps.count; i++) {
		const struct smaps_area *area = &smaps.areas[i];

		if (area->start >= area->end || strnlen(area->name, sizeof(area->name)) == sizeof(area->name))
			abort();
	}
	smaps_release(&smaps);
	fclose(in);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = input_text(data, size);

	read_maps(text);
	free(text);
	if (size)
		read_smaps(data, size);
	return 0;
}
