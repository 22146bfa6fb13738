/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks by the names of their functions. */
#include "text_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "text_profile.h"

struct text_verdict text_chain_judge(const char *path, uint64_t size, const char *const *chain)
{
	struct text_profile profile;
	struct text_verdict verdict = {0};

	assert_int_equal(text_profile_read(path, &profile), 0);
	for (size_t i = 0; i < profile.count; i++) {
		const struct text_record *record = &profile.records[i];
		unsigned int same = 0;

		if (!record->alloc_objects || record->alloc_bytes != size * record->alloc_objects)
			continue;
		while (same < record->frame_count && chain[same] && !strcmp(record->frames[same].function, chain[same]))
			same++;
		if (!chain[same])
			verdict.right += record->alloc_objects;
		else if (same == record->frame_count)
			verdict.cut += record->alloc_objects;
		else
			verdict.wrong += record->alloc_objects;
	}
	text_profile_release(&profile);
	return verdict;
}
