/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/debug_frame.h"

#include <dwarf.h>
#include <errno.h>

#include "base/array.h"
#include "unwind/cfi_sections.h"

#define ALIGNMENT   8
#define COMMONS_MAX 32
#define VERSION	    1

/* One .eh_frame being added. */
struct adding {
	struct debug_frame *frame;
	const u8 *start;
	u64 address;
	struct {
		u64 from, to; /* offsets of a common entry, here and there */
	} commons[COMMONS_MAX];
	u32 common_count;
};

static int append(struct debug_frame *frame, const void *bytes, size_t size)
{
	if (array_grow(&frame->bytes, frame->size, size))
		return -ENOMEM;
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
	return 0;
}

/* The length, what tells one kind of entry from the other, and the fields behind it; then the program. */
static int append_entry(struct debug_frame *frame, u32 pointer, const void *fields, size_t size,
			const struct cfi_reader *program)
{
	static const u8 padding[ALIGNMENT] = {DW_CFA_nop};
	size_t program_size = (size_t)(program->end - program->at);
	u32 length = (u32)(sizeof(pointer) + size + program_size), rest = (u32) - (length + 4) % ALIGNMENT;
	int err;

	length += rest;
	err = append(frame, &length, sizeof(length));
	if (!err)
		err = append(frame, &pointer, sizeof(pointer));
	if (!err)
		err = append(frame, fields, size);
	if (!err)
		err = append(frame, program->at, program_size);
	return err ? err : append(frame, padding, rest);
}

/* "zR" tells the addresses' format alone, and here they are whole. */
static int add_common(struct adding *adding, struct cfi_reader entry, u64 from)
{
	static const u8 start[] = {VERSION, 'z', 'R', 0};
	u8 fields[32] = {VERSION, 0};
	const u8 *factors = entry.at + sizeof(start);
	size_t size;

	if ((size_t)(entry.end - entry.at) < sizeof(start) || memcmp(entry.at, start, sizeof(start)) != 0)
		return -EBADMSG;
	entry.at = factors;
	cfi_read_uleb(&entry);
	cfi_read_sleb(&entry);
	cfi_read_number(&entry, 1);
	size = (size_t)(entry.at - factors);
	if (cfi_read_uleb(&entry) != 1 || cfi_read_number(&entry, 1) != (DW_EH_PE_pcrel | DW_EH_PE_sdata4) ||
	    entry.failed || size > sizeof(fields) - 2 || adding->common_count == COMMONS_MAX)
		return -EBADMSG;
	memcpy(fields + 2, factors, size);
	adding->commons[adding->common_count].from = from;
	adding->commons[adding->common_count++].to = adding->frame->size;
	return append_entry(adding->frame, UINT32_MAX, fields, 2 + size, &entry);
}

/* `from`: the offset of its common entry. */
static int add_function(struct adding *adding, struct cfi_reader entry, u64 from)
{
	u64 fields[2], place = adding->address + (u64)(entry.at - adding->start);

	fields[0] = place + (u64)(s64)(s32)(u32)cfi_read_number(&entry, 4);
	fields[1] = cfi_read_number(&entry, 4);
	entry.at += cfi_read_uleb(&entry);
	if (entry.failed || entry.at > entry.end)
		return -EBADMSG;
	for (u32 i = 0; i < adding->common_count; i++)
		if (adding->commons[i].from == from)
			return append_entry(adding->frame, (u32)adding->commons[i].to, fields, sizeof(fields), &entry);
	return -EBADMSG;
}

int debug_frame_add(struct debug_frame *frame, const u8 *eh_frame, size_t size, u64 address)
{
	struct adding adding = {.frame = frame, .start = eh_frame, .address = address};
	struct cfi_reader reader = {.at = eh_frame, .end = eh_frame + size};
	int err = 0;

	while (!err && reader.at < reader.end) {
		u64 at = (u64)(reader.at - eh_frame), length = cfi_read_number(&reader, 4), back;
		struct cfi_reader entry = {.at = reader.at};

		if (length > (u64)(reader.end - reader.at))
			return -EBADMSG;
		reader.at = entry.end = entry.at + length;
		back = cfi_read_number(&entry, 4);
		if (entry.failed)
			return -EBADMSG;
		err = back ? add_function(&adding, entry, at + 4 - back) : add_common(&adding, entry, at);
	}
	return err ? err : reader.failed ? -EBADMSG : 0;
}

void debug_frame_release(struct debug_frame *frame)
{
	free(frame->bytes);
	*frame = (struct debug_frame){0};
}
