/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_config.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>

#include "binary/elf.h"
#include "inline/sampler_image.h"
#include "probe/plan.h"

#define TABLE_BITS_MIN 14
#define TABLE_BITS_MAX 17

void sampler_config_check(const struct plan *plan, char ret_reason[SAMPLER_REASON_MAX])
{
	ret_reason[0] = '\0';
	if (plan->pymalloc.table_count)
		snprintf(ret_reason, SAMPLER_REASON_MAX,
			 "each call of Python's allocator of small objects would trap, so --inline leaves it alone");
	else if (plan->doubtful_count)
		snprintf(ret_reason, SAMPLER_REASON_MAX, "calls of its %s may be missed", plan->doubtful);
	else if (plan->ranges.count >= RANGES_MAX)
		snprintf(ret_reason, SAMPLER_REASON_MAX, "its functions are too many");
	for (u32 i = 0; i < plan->probe_count && !ret_reason[0]; i++)
		if (plan->probes[i].kind == CALL_PASSED)
			snprintf(ret_reason, SAMPLER_REASON_MAX, "its %s hands calls on", plan->probes[i].symbol);
}

/* Twice as many buckets as are needed would be emptier; but each is memory that the program touches. */
static u32 table_bits(const struct sampler_settings *settings)
{
	u64 objects = settings->memory_bytes / (settings->sample_bytes ? settings->sample_bytes : 1);
	u32 bits = TABLE_BITS_MIN;

	while (bits < TABLE_BITS_MAX && 1ULL << bits < objects)
		bits++;
	return bits;
}

u64 sampler_config_data_bytes(const struct sampler_settings *settings)
{
	const struct sampler_header *sampler = sampler_image_header();

	return sampler->table - sampler->slots + (sizeof(u64) << table_bits(settings));
}

static bool has_rdrand(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_RDRND;
}

/* `address`: the config's, from which offsets are. */
static int put_range(struct sampler_config *config, u64 address, u64 start, u64 size)
{
	s64 first = (s64)(start - address), end = first + (s64)size;

	if (first < INT32_MIN || end > INT32_MAX)
		return -ERANGE;
	config->ranges[config->range_count++] = (struct sampler_range){.start = (s32)first, .end = (s32)end};
	return 0;
}

int sampler_config_make(const struct elf *elf, const struct plan *plan, const struct sampler_settings *settings,
			u64 image, struct sampler_config *ret_config)
{
	const struct ranges *ranges = &plan->ranges;
	u64 address = image + sampler_image_header()->config, start;
	int err;

	*ret_config = (struct sampler_config){
		.sample_bytes = settings->sample_bytes,
		.session = settings->session,
		.table_bits = table_bits(settings),
		.has_rdrand = has_rdrand(),
	};
	/* Where the sampler calls a function that goes on in another one. */
	err = put_range(ret_config, address, image, sampler_image_header()->config);
	for (u32 i = 0; i < ranges->count && !err; i++) {
		if (elf_offset_to_vaddr(elf, ranges->range[i].start, &start))
			return -EBADMSG;
		err = put_range(ret_config, address, start, ranges->range[i].end - ranges->range[i].start);
	}
	return err;
}
