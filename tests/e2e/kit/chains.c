/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two accounts of the same calls, as multisets of stacks. Both are sorted, so that equal ones meet in a merge, and
 * those of which one is the beginning of the other lie next to each other.
 */
#include "chains.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "profile/profile.h"
#include "format/pprof_read.h"
#include "call_log.h"

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void add(struct chains *chains, uint64_t size, uint64_t count, const uint64_t *ip, uint32_t depth, uint32_t end)
{
	struct chain *chain;

	if (chains->count == chains->capacity) {
		chains->capacity = chains->capacity ? 2 * chains->capacity : 1024;
		chains->chains = must(realloc(chains->chains, chains->capacity * sizeof(*chain)));
	}
	chain = &chains->chains[chains->count++];
	*chain = (struct chain){.size = size, .count = count, .depth = depth, .end = end};
	chain->ip = must(malloc(depth * sizeof(*ip)));
	memcpy(chain->ip, ip, depth * sizeof(*ip));
	chains->total += count;
}

uint32_t chain_common_depth(const struct chain *a, const struct chain *b)
{
	uint32_t depth = 0;

	while (depth < a->depth && depth < b->depth && a->ip[depth] == b->ip[depth])
		depth++;
	return depth;
}

int chain_order(const void *left, const void *right)
{
	const struct chain *a = left, *b = right;
	uint32_t common;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	common = chain_common_depth(a, b);
	if (common < a->depth && common < b->depth)
		return a->ip[common] < b->ip[common] ? -1 : 1;
	return a->depth < b->depth ? -1 : a->depth > b->depth;
}

static void merge(struct chains *chains)
{
	size_t kept = 0;

	if (chains->count)
		qsort(chains->chains, chains->count, sizeof(*chains->chains), chain_order);
	for (size_t i = 0; i < chains->count; i++) {
		struct chain chain = chains->chains[i];

		if (kept && !chain_order(&chains->chains[kept - 1], &chain)) {
			chains->chains[kept - 1].count += chain.count;
			free(chain.ip);
		} else {
			chains->chains[kept++] = chain;
		}
	}
	chains->count = kept;
}

void chains_drop_small(struct chains *chains, uint64_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < chains->count; i++) {
		if (chains->chains[i].size >= size) {
			chains->chains[kept++] = chains->chains[i];
			continue;
		}
		chains->total -= chains->chains[i].count;
		free(chains->chains[i].ip);
	}
	chains->count = kept;
}

static int read_records(const struct chain_header *header, pid_t pid, struct chains *chains)
{
	const char *at = (const char *)header + CHAIN_HEADER_BYTES, *end = at + header->used;

	if (header->magic != CHAIN_MAGIC || header->used > CHAIN_FILE_BYTES - CHAIN_HEADER_BYTES)
		return -EBADMSG;
	chains->missed = header->missed;
	chains->shim_start = header->shim_start;
	chains->shim_end = header->shim_end;
	while (at < end) {
		const struct chain_record *record = (const struct chain_record *)at;

		if (!record->depth || record->depth > CHAIN_DEPTH_MAX)
			return -EBADMSG;
		if (record->pid == (uint32_t)pid)
			add(chains, record->size, 1, record->ip, record->depth, record->end);
		at += offsetof(struct chain_record, ip) + record->depth * sizeof(record->ip[0]);
	}
	merge(chains);
	return 0;
}

int chains_read_truth(const char *prefix, pid_t pid, struct chains *ret_chains)
{
	char own_prefix[PATH_MAX];
	const void *file;
	int error;

	snprintf(own_prefix, sizeof(own_prefix), "%s" CHAIN_SUFFIX, prefix);
	error = call_log_map(own_prefix, pid, CHAIN_FILE_BYTES, &file);
	if (error)
		return error;
	*ret_chains = (struct chains){0};
	error = read_records(file, pid, ret_chains);
	munmap((void *)file, CHAIN_FILE_BYTES);
	if (error)
		chains_release(ret_chains);
	return error;
}

/* libunwind's own calls reach the shim again; they are not the program's. */
static bool is_unwinder(const struct profile *profile, const struct profile_location *location)
{
	const char *path =
		location->mapping < profile->mapping_count ? profile->mappings[location->mapping].path : NULL;

	return path && strstr(path, "/libunwind.so");
}

/* What stands for frames of a stack that was too deep: behind it are those at its root. */
static bool is_cut(const struct profile_location *location)
{
	return location->line_count && !strcmp(location->lines[0].function, PROFILE_TRUNCATED);
}

static void add_sample(struct chains *chains, const struct profile *profile, const struct profile_sample *sample)
{
	uint64_t *ip = must(calloc(sample->depth + 1UL, sizeof(*ip)));
	uint32_t depth = 0;
	bool shim = false;

	for (uint32_t i = 0; i < sample->depth; i++) {
		const struct profile_location *location = &profile->locations[sample->location[i]];
		uint64_t address = location->address + 1;
		bool inside = address > chains->shim_start && address <= chains->shim_end;

		if (is_unwinder(profile, location) || (inside && depth)) {
			shim = false;
			break;
		}
		if (is_cut(location))
			break;
		shim |= inside;
		if (!inside)
			ip[depth++] = address;
	}
	if (!sample->depth || (shim && !depth))
		chains->missed += sample->alloc_count;
	else if (!shim)
		chains->foreign += sample->alloc_count;
	else
		add(chains, sample->size, sample->alloc_count, ip, depth, CHAIN_ROOT);
	free(ip);
}

int chains_read_profile(const char *path, const struct chains *truth, struct chains *ret_chains,
			struct profile **ret_profile)
{
	int error = pprof_read(path, ret_profile);

	if (error)
		return error;
	*ret_chains = (struct chains){.shim_start = truth->shim_start, .shim_end = truth->shim_end};
	for (uint32_t i = 0; i < (*ret_profile)->sample_count; i++) {
		if ((*ret_profile)->samples[i].alloc_count)
			add_sample(ret_chains, *ret_profile, &(*ret_profile)->samples[i]);
	}
	merge(ret_chains);
	return 0;
}

void chains_release(struct chains *chains)
{
	for (size_t i = 0; i < chains->count; i++)
		free(chains->chains[i].ip);
	free(chains->chains);
	*chains = (struct chains){0};
}
