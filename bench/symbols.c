/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long it takes to name COUNT code addresses spread evenly over the functions of a file. A line: milliseconds,
 * addresses asked for, addresses that got a name, and distinct names among them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "binary/symbolizer.h"

struct places {
	u64 *offsets;
	size_t count, capacity;
};

static int add_place(const struct elf_symbol *symbol, void *arg)
{
	struct places *places = arg;

	if (places->count == places->capacity) {
		places->capacity = 2 * places->capacity + 4096;
		places->offsets = realloc(places->offsets, places->capacity * sizeof(*places->offsets));
		if (!places->offsets)
			return -1;
	}
	places->offsets[places->count++] = symbol->offset;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* From the first function's begin to the last one's in equal steps: addresses all different. */
static void measure(struct elf *elf, const struct places *places, unsigned long count)
{
	u64 first = places->offsets[0], range = places->offsets[places->count - 1] - first, start = clock_now_ns();
	struct symbolizer *symbolizer = symbolizer_new();
	unsigned long named = 0, distinct = 0;
	const char *last = NULL;

	for (unsigned long i = 0; symbolizer && i < count; i++) {
		struct symbol_frame frame = {0};

		symbolizer_resolve(symbolizer, elf, first + range * i / count, &frame);
		if (!frame.line_count)
			continue;
		named++;
		distinct += frame.lines[0].function != last;
		last = frame.lines[0].function;
	}
	printf("%.1f %lu %lu %lu\n", (double)(clock_now_ns() - start) / 1e6, count, named, distinct);
	symbolizer_free(symbolizer);
}

int main(int argc, char **argv)
{
	struct places places = {0};
	struct elf *elf;
	int err;

	if (argc != 3) {
		fputs("usage: symbols FILE COUNT\n", stderr);
		return 2;
	}
	err = elf_open(open(argv[1], O_RDONLY | O_CLOEXEC), argv[1], &elf);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	elf_for_each_function(elf, add_place, &places);
	if (places.count) {
		qsort(places.offsets, places.count, sizeof(*places.offsets), compare);
		measure(elf, &places, strtoul(argv[2], NULL, 10));
	}
	free(places.offsets);
	elf_free(elf);
	return !places.count;
}
