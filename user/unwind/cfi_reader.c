/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The number formats of DWARF and of .eh_frame, read from bytes that may end anywhere. */
#include "unwind/cfi_reader.h"

#include <dwarf.h>
#include <string.h>

u64 cfi_read_number(struct cfi_reader *reader, unsigned int size)
{
	u64 value = 0;

	if ((size_t)(reader->end - reader->at) < size) {
		reader->failed = true;
		reader->at = reader->end;
		return 0;
	}
	memcpy(&value, reader->at, size);
	reader->at += size;
	return value;
}

/* Either kind of LEB128; *ret_bits: how many bits were given. */
static u64 read_leb(struct cfi_reader *reader, unsigned int *ret_bits)
{
	unsigned int shift = 0;
	u64 value = 0;
	u8 byte;

	do {
		byte = (u8)cfi_read_number(reader, 1);
		if (shift < 64)
			value |= (u64)(byte & 0x7f) << shift;
		shift = shift < 64 ? shift + 7 : shift;
	} while (byte & 0x80);
	*ret_bits = shift;
	return value;
}

u64 cfi_read_uleb(struct cfi_reader *reader)
{
	unsigned int bits;

	return read_leb(reader, &bits);
}

s64 cfi_read_sleb(struct cfi_reader *reader)
{
	unsigned int bits;
	u64 value = read_leb(reader, &bits);

	if (bits < 64 && (value >> (bits - 1) & 1))
		value |= UINT64_MAX << bits;
	return (s64)value;
}

u64 cfi_read_pointer(struct cfi_reader *reader, u8 encoding, const struct cfi_section *section)
{
	u64 base = 0, value;

	if (section && (encoding & 0x70) == DW_EH_PE_pcrel)
		base = section->address + (u64)(reader->at - section->bytes);
	else if (section && (encoding & 0x70) != 0)
		reader->failed = true;
	if (encoding & DW_EH_PE_indirect)
		reader->failed = true;

	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = cfi_read_number(reader, 8);
		break;
	case DW_EH_PE_uleb128:
		value = cfi_read_uleb(reader);
		break;
	case DW_EH_PE_sleb128:
		value = (u64)cfi_read_sleb(reader);
		break;
	case DW_EH_PE_udata2:
		value = cfi_read_number(reader, 2);
		break;
	case DW_EH_PE_sdata2:
		value = (u64)(s64)(int16_t)cfi_read_number(reader, 2);
		break;
	case DW_EH_PE_udata4:
		value = cfi_read_number(reader, 4);
		break;
	case DW_EH_PE_sdata4:
		value = (u64)(s64)(s32)cfi_read_number(reader, 4);
		break;
	default:
		reader->failed = true;
		return 0;
	}
	return base + value;
}

struct cfi_reader cfi_read_block(struct cfi_reader *reader)
{
	u64 size = cfi_read_uleb(reader);
	struct cfi_reader block = {.at = reader->at, .end = reader->at};

	if (size > (u64)(reader->end - reader->at)) {
		reader->failed = true;
		return block;
	}
	block.end += size;
	reader->at += size;
	return block;
}
