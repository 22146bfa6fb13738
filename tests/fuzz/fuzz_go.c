/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer target: any bytes as a Go program and, where it is loaded, as its memory: all that is read of a running one. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "binary/go_lines.h"
#include "heap/go_buckets.h"
#include "input.h"
#include "probe/go_sites.h"
#include "probe/go_variables.h"

#define STACKS_MAX 1000

struct loaded {
	const struct elf *elf;
	const struct go_image *image;
};

static int read_loaded(void *arg, u64 address, void *buffer, size_t size)
{
	const struct loaded *loaded = arg;

	return go_image_bytes(loaded->elf, loaded->image, address, buffer, size) ? -EFAULT : 0;
}

/* Every text ends: their lengths are what sanitizers would stumble over. */
static void name(struct go_lines *lines, u64 address)
{
	struct go_line line;

	if (go_lines_find(lines, address, &line))
		return;
	if (!strlen(line.function) || (line.file && !strlen(line.file)))
		abort();
}

static void name_stacks(struct go_lines *lines, const struct go_buckets *buckets)
{
	for (u64 i = 0; i < buckets->pc_count && i < STACKS_MAX; i++)
		name(lines, buckets->pcs[i] - 1);
	for (u32 i = 0; i < buckets->count; i++) {
		const struct go_bucket *bucket = &buckets->buckets[i];

		if (bucket->frees > bucket->allocs || bucket->first + bucket->depth > buckets->pc_count)
			abort();
	}
}

static void read_profile(struct elf *elf, const struct go_image *image, const struct go_module *module,
			 struct go_lines *lines)
{
	struct loaded loaded = {elf, image};
	const struct process_memory memory = {read_loaded, &loaded};
	struct go_variables variables;
	struct go_buckets buckets;

	if (go_variables_find(elf, image, lines, &variables))
		return;
	go_buckets_read(&memory,
			&(struct go_buckets_place){variables.buckets, variables.cycle, module->text, module->etext,
						   image->minor},
			&buckets);
	name_stacks(lines, &buckets);
	go_buckets_release(&buckets);
}

static bool is_branch(const struct elf *elf, u64 offset)
{
	u8 code[2];

	return elf_read(elf, offset, code, sizeof(code)) == sizeof(code) &&
	       (code[0] == 0x76 || (code[0] == 0x0f && code[1] == 0x86));
}

/* Where births and deaths pass must be a guard's branch in the file. */
static void find_sites(const struct elf *elf, const struct go_image *image, const struct go_lines *lines)
{
	struct go_sites sites;

	if (!go_sites_find(elf, image, lines, &sites) &&
	    (!is_branch(elf, sites.born) || !is_branch(elf, sites.died) || !sites.kind))
		abort();
}

static void read_program(struct elf *elf)
{
	struct go_image image;
	struct loaded loaded = {elf, &image};
	const struct process_memory memory = {read_loaded, &loaded};
	struct go_module module;
	struct go_lines *lines;

	if (go_image_read(elf, &image) || go_module_find(&image, &memory, 0, &module) ||
	    go_lines_open(elf, &image, &module, &lines))
		return;
	for (u64 offset = 0; offset < 512; offset++)
		name(lines, module.text + offset);
	read_profile(elf, &image, &module, lines);
	find_sites(elf, &image, lines);
	go_lines_free(lines);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elf *elf;

	if (elf_open(input_file(data, size), "input", &elf) != 0)
		return 0;
	read_program(elf);
	elf_free(elf);
	return 0;
}
