/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/frame_header.h"

#include <dwarf.h>
#include <errno.h>

#include "base/array.h"
#include "unwind/cfi_sections.h"

#define HEADER_BYTES 12
#define ROW_BYTES    8
#define VERSION	     1
#define ROW_FORMAT   (DW_EH_PE_datarel | DW_EH_PE_sdata4)
#define NEAR	     (DW_EH_PE_pcrel | DW_EH_PE_sdata4)

/* What every linker writes: version; formats of the pointer to .eh_frame, of the count, and of the rows. */
static const u8 start[4] = {VERSION, NEAR, DW_EH_PE_udata4, ROW_FORMAT};

static u32 word(const u8 *bytes)
{
	u32 value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static u64 from(u64 base, const u8 *bytes)
{
	return base + (u64)(s64)(s32)word(bytes);
}

static int append(struct frame_header *header, u64 function, u64 entry)
{
	if (array_grow(&header->rows, header->count, 1))
		return -ENOMEM;
	header->rows[header->count++] = (struct frame_header_row){.function = function, .entry = entry};
	return 0;
}

int frame_header_read(const u8 *bytes, size_t size, u64 address, struct frame_header *ret_header)
{
	u32 count;
	int err = 0;

	*ret_header = (struct frame_header){0};
	if (size < HEADER_BYTES || memcmp(bytes, start, sizeof(start)))
		return -EOPNOTSUPP;
	ret_header->eh_frame = from(address + 4, bytes + 4);
	count = word(bytes + 8);
	if (count > (size - HEADER_BYTES) / ROW_BYTES)
		return -EBADMSG;
	for (const u8 *row = bytes + HEADER_BYTES; ret_header->count < count && !err; row += ROW_BYTES)
		err = append(ret_header, from(address, row), from(address, row + 4));
	return err;
}

void frame_header_release(struct frame_header *header)
{
	free(header->rows);
	*header = (struct frame_header){0};
}

/* --- entries of another .eh_frame --- */

/* Does an entry that is no function's say "zR", and that its functions' addresses are near ones? */
static bool is_near(struct cfi_reader entry)
{
	u8 version = (u8)cfi_read_number(&entry, 1);

	if (version != 1 || cfi_read_number(&entry, 1) != 'z' || cfi_read_number(&entry, 1) != 'R' ||
	    cfi_read_number(&entry, 1) != '\0')
		return false;
	cfi_read_uleb(&entry);	    /* the unit of code, */
	cfi_read_sleb(&entry);	    /* of data, */
	cfi_read_number(&entry, 1); /* the register of the return address, */
	cfi_read_uleb(&entry);	    /* the length of what 'z' announces */
	return cfi_read_number(&entry, 1) == NEAR && !entry.failed;
}

static void put_last_in_order(struct frame_header *header)
{
	const struct frame_header_row last = header->rows[header->count - 1];
	u32 place = header->count - 1;

	for (; place && header->rows[place - 1].function > last.function; place--)
		header->rows[place] = header->rows[place - 1];
	header->rows[place] = last;
}

/* `at`: where the entry begins, at virtual address `address`; its length and the reference to the common one are read. */
static int add_entry(struct frame_header *header, const u8 *at, struct cfi_reader entry, u64 address)
{
	int err;

	if (entry.end - entry.at < 8)
		return -EBADMSG;
	err = append(header, from(address + (u64)(entry.at - at), entry.at), address);
	if (!err)
		put_last_in_order(header);
	return err;
}

int frame_header_add(struct frame_header *header, const u8 *eh_frame, size_t size, u64 address)
{
	struct cfi_reader reader = {.at = eh_frame, .end = eh_frame + size};
	int err = 0;

	while (!err && reader.at < reader.end) {
		const u8 *at = reader.at;
		u64 length = cfi_read_number(&reader, 4);
		struct cfi_reader entry = {.at = reader.at};

		if (!length)
			break;
		if (length > (u64)(reader.end - reader.at))
			return -EBADMSG;
		reader.at = entry.end = entry.at + length;
		if (cfi_read_number(&entry, 4))
			err = add_entry(header, at, entry, address + (u64)(at - eh_frame));
		else
			err = is_near(entry) ? 0 : -EOPNOTSUPP;
	}
	return err ? err : reader.failed ? -EBADMSG : 0;
}

/* --- writing --- */

size_t frame_header_rows_size(size_t count)
{
	return count * ROW_BYTES;
}

size_t frame_header_size(const struct frame_header *header)
{
	return HEADER_BYTES + frame_header_rows_size(header->count);
}

static bool put_distance(u8 *bytes, u64 to, u64 base)
{
	s64 distance = (s64)(to - base);
	s32 value = (s32)distance;

	memcpy(bytes, &value, sizeof(value));
	return value == distance;
}

int frame_header_write(const struct frame_header *header, u64 address, u8 *ret_bytes)
{
	u8 *row = ret_bytes + HEADER_BYTES;
	bool reached;

	memcpy(ret_bytes, start, sizeof(start));
	reached = put_distance(ret_bytes + 4, header->eh_frame, address + 4);
	memcpy(ret_bytes + 8, &header->count, sizeof(header->count));
	for (u32 i = 0; i < header->count; i++, row += ROW_BYTES) {
		reached &= put_distance(row, header->rows[i].function, address);
		reached &= put_distance(row + 4, header->rows[i].entry, address);
	}
	return reached ? 0 : -ERANGE;
}
