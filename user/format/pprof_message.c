/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only the outermost fields are taken apart here; protobuf-c unpacks each entry, from a limited amount of memory: an entry
 * can be hostile by itself. What is in no table is put together to a message of its own.
 */
#include "format/pprof_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- memory --- */

int pprof_message_spend(struct pprof_message *message, u64 count, u64 size)
{
	u64 bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > message->left)
		return -EFBIG;
	message->left -= bytes;
	return 0;
}

struct bounds {
	u64 left;
	int err; /* why there was no memory */
};

static void *bounded_alloc(void *arg, size_t size)
{
	struct bounds *bounds = arg;
	void *memory = size > bounds->left ? NULL : malloc(size);

	if (!memory)
		bounds->err = size > bounds->left ? -EFBIG : -ENOMEM;
	else
		bounds->left -= size;
	return memory;
}

static void bounded_free(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

static ProtobufCAllocator bounded(struct bounds *bounds)
{
	return (ProtobufCAllocator){.alloc = bounded_alloc, .free = bounded_free, .allocator_data = bounds};
}

/* --- fields --- */

struct field {
	u64 number;
	const u8 *begin, *payload, *end; /* the payload of a field with a length is without it */
	bool has_length;
};

/* False: it does not end, or is larger than 64 bits. */
static bool read_varint(const u8 **cursor, const u8 *end, u64 *ret_value)
{
	*ret_value = 0;
	for (unsigned int shift = 0; *cursor < end && shift < 64; shift += 7) {
		u8 byte = *(*cursor)++;

		*ret_value |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

#define FIRST_TAG 0x0a /* of a sample type, with which every profile begins */

/* A number does not end: the message does before it, or it is larger than 64 bits. */
static int bad_varint(const u8 *cursor, const u8 *end)
{
	return cursor == end ? -ENODATA : -EBADMSG;
}

/* The field that begins at `begin`. 0, -EBADMSG, or -ENODATA: the message ends in it. */
static int read_field(const u8 *begin, const u8 *end, struct field *ret_field)
{
	const u8 *cursor = begin;
	u64 tag, size;

	if (!read_varint(&cursor, end, &tag))
		return bad_varint(cursor, end);
	*ret_field = (struct field){.number = tag >> 3, .begin = begin, .payload = cursor};
	switch (tag & 7) {
	case 0:
		if (!read_varint(&cursor, end, &size))
			return bad_varint(cursor, end);
		size = 0;
		break;
	case 1:
		size = 8;
		break;
	case 2:
		if (!read_varint(&cursor, end, &size))
			return bad_varint(cursor, end);
		ret_field->payload = cursor;
		ret_field->has_length = true;
		break;
	case 5:
		size = 4;
		break;
	default:
		return -EBADMSG;
	}
	if (size > (u64)(end - cursor))
		return -ENODATA;
	ret_field->end = cursor + size;
	return 0;
}

static int each_field(const struct pprof_message *message, int (*each)(const struct field *field, void *arg), void *arg)
{
	const u8 *end = message->data + message->size;
	struct field field = {.end = message->data};
	int err = 0;

	while (!err && field.end < end) {
		err = read_field(field.end, end, &field);
		err = err ? err : each(&field, arg);
	}
	/* Other files run over their end as well: only one that begins as profiles do is a truncated one. */
	return err == -ENODATA && *message->data != FIRST_TAG ? -EBADMSG : err;
}

static bool is_in_table(const struct field *field)
{
	return field->number >= PPROF_SAMPLES && field->number < PPROF_TABLE_MAX;
}

/* --- what is in no table, and the strings --- */

struct head {
	struct pprof_message *message;
	u8 *bytes;
	size_t size;
	u64 strings;
};

static int count_field(const struct field *field, void *arg)
{
	struct head *head = arg;

	if (!is_in_table(field))
		head->size += (size_t)(field->end - field->begin);
	else if (!field->has_length)
		return -EBADMSG;
	else
		head->message->count[field->number]++;
	return 0;
}

static int take_field(const struct field *field, void *arg)
{
	struct head *head = arg;
	size_t size = (size_t)(field->end - field->begin);

	if (!is_in_table(field)) {
		memcpy(head->bytes + head->size, field->begin, size);
		head->size += size;
	} else if (field->number == PPROF_STRINGS) {
		size = (size_t)(field->end - field->payload);
		head->message->strings[head->strings++] =
			(struct pprof_string){.bytes = field->payload, .size = strnlen((char *)field->payload, size)};
	}
	return 0;
}

static int unpack_head(struct pprof_message *message, const struct head *head)
{
	struct bounds bounds = {.left = message->left};
	ProtobufCAllocator allocator = bounded(&bounds);

	message->head = pprof__profile__unpack(&allocator, head->size, head->bytes);
	message->left = bounds.left;
	if (message->head)
		return 0;
	return bounds.err ? bounds.err : -EBADMSG;
}

int pprof_message_open(const u8 *data, size_t size, u64 left, struct pprof_message *ret_message)
{
	struct pprof_message *message = ret_message;
	struct head head = {.message = message};
	int err;

	*message = (struct pprof_message){.data = data, .size = size, .left = left};
	err = each_field(message, count_field, &head);
	err = err ? err : pprof_message_spend(message, head.size + 1, 1);
	err = err ? err : pprof_message_spend(message, message->count[PPROF_STRINGS] + 1, sizeof(*message->strings));
	if (err)
		return err;
	head.bytes = malloc(head.size + 1);
	message->strings = calloc(message->count[PPROF_STRINGS] + 1, sizeof(*message->strings));
	head.size = 0;
	err = head.bytes && message->strings ? each_field(message, take_field, &head) : -ENOMEM;
	err = err ? err : unpack_head(message, &head);
	free(head.bytes);
	return err;
}

void pprof_message_release(struct pprof_message *message)
{
	struct bounds none = {0};
	ProtobufCAllocator allocator = bounded(&none);

	if (message->head)
		pprof__profile__free_unpacked(message->head, &allocator);
	free(message->strings);
}

/* --- entries --- */

struct entries {
	struct pprof_message *message;
	enum pprof_table table;
	const ProtobufCMessageDescriptor *kind;
	int (*each)(const void *entry, void *arg);
	void *arg;
};

static int unpack_entry(const struct field *field, void *arg)
{
	const struct entries *entries = arg;
	struct bounds bounds = {.left = entries->message->left};
	ProtobufCAllocator allocator = bounded(&bounds);
	ProtobufCMessage *entry;
	int err;

	if (field->number != entries->table)
		return 0;
	entry = protobuf_c_message_unpack(entries->kind, &allocator, (size_t)(field->end - field->payload),
					  field->payload);
	if (!entry)
		return bounds.err ? bounds.err : -EBADMSG;
	err = entries->each(entry, entries->arg);
	protobuf_c_message_free_unpacked(entry, &allocator);
	return err;
}

int pprof_message_each(struct pprof_message *message, enum pprof_table table, int (*each)(const void *entry, void *arg),
		       void *arg)
{
	static const ProtobufCMessageDescriptor *const kinds[PPROF_TABLE_MAX] = {
		[PPROF_SAMPLES] = &pprof__sample__descriptor,
		[PPROF_MAPPINGS] = &pprof__mapping__descriptor,
		[PPROF_LOCATIONS] = &pprof__location__descriptor,
		[PPROF_FUNCTIONS] = &pprof__function__descriptor,
	};
	struct entries entries = {message, table, kinds[table], each, arg};

	return each_field(message, unpack_entry, &entries);
}

/* --- strings --- */

static struct pprof_string *string_at(const struct pprof_message *message, s64 index)
{
	return index >= 0 && (u64)index < message->count[PPROF_STRINGS] ? &message->strings[index] : NULL;
}

bool pprof_message_copy(const struct pprof_message *message, s64 index, char *text, size_t size)
{
	const struct pprof_string *string = string_at(message, index);
	size_t length = string && string->size < size ? string->size : size - 1;

	if (!string)
		return false;
	memcpy(text, string->bytes, length);
	text[length] = '\0';
	return true;
}

bool pprof_message_string_is(const struct pprof_message *message, s64 index, const char *wanted)
{
	const struct pprof_string *string = string_at(message, index);

	return string && string->size == strlen(wanted) && !memcmp(string->bytes, wanted, string->size);
}

int pprof_message_text(struct pprof_message *message, s64 index, struct profile *profile, char **ret_text)
{
	struct pprof_string *string = string_at(message, index);
	char *copy;
	int err;

	*ret_text = string ? string->text : NULL;
	if (!string || !string->size || string->text)
		return string ? 0 : -EBADMSG;
	/* Twice: the copy, and the profile's own. */
	err = pprof_message_spend(message, 2, string->size + sizeof(struct interned));
	if (err)
		return err;
	copy = strndup((const char *)string->bytes, string->size);
	err = copy ? profile_text(profile, copy, &string->text) : -ENOMEM;
	free(copy);
	*ret_text = string->text;
	return err;
}
