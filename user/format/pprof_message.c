/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The message may be hostile: string indices are checked, and both its memory and the copies of its strings are bounded. */
#include "format/pprof_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX (4ull << 30) /* a repeated message of two bytes becomes a struct of 80 */

static void *bounded_alloc(void *arg, size_t size)
{
	u64 *left = arg;

	if (size > *left)
		return NULL;
	*left -= size;
	return malloc(size);
}

static void bounded_free(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

int pprof_message_unpack(const u8 *data, size_t size, struct pprof_message *ret_message)
{
	u64 left = MESSAGE_MAX;
	ProtobufCAllocator allocator = {.alloc = bounded_alloc, .free = bounded_free, .allocator_data = &left};

	*ret_message = (struct pprof_message){.profile = pprof__profile__unpack(&allocator, size, data)};
	return ret_message->profile ? 0 : -EBADMSG;
}

void pprof_message_release(struct pprof_message *message)
{
	ProtobufCAllocator allocator = {.alloc = bounded_alloc, .free = bounded_free};

	if (message->profile)
		pprof__profile__free_unpacked(message->profile, &allocator);
}

const char *pprof_message_string(const struct pprof_message *message, s64 index)
{
	if (index < 0 || (u64)index >= message->profile->n_string_table)
		return NULL;
	return message->profile->string_table[index];
}

bool pprof_message_string_is(const struct pprof_message *message, s64 index, const char *wanted)
{
	const char *string = pprof_message_string(message, index);

	return string && !strcmp(string, wanted);
}

int pprof_message_copy_string(struct pprof_message *message, s64 index, char **ret)
{
	const char *string = pprof_message_string(message, index);

	if (!string)
		return -EBADMSG;
	message->copied += strlen(string);
	if (message->copied > MESSAGE_MAX)
		return -EFBIG;
	*ret = *string ? strdup(string) : NULL;
	return *string && !*ret ? -ENOMEM : 0;
}
