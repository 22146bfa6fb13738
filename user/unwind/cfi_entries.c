/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of call frame information, decoded by libdw, as a list of functions in the order of their code. .eh_frame
 * comes first: .debug_frame counts where that has nothing (code of Go, and assembly that was given debug information
 * alone). Two functions that overlap, as only a damaged file has them, are cut where the second begins.
 */
#include "unwind/cfi_entries.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define FUNCTIONS_MAX (1u << 20)
#define COMMONS_MAX   (64u << 10)

/* What the augmentation says. False: something that changes the meaning of the rest, and is not known here. */
static bool read_augmentation(const Dwarf_CIE *cie, const struct cfi_section *section, struct cfi_common *common)
{
	struct cfi_reader data = {.at = cie->augmentation_data};
	const char *letter = cie->augmentation;
	u8 encoding;

	common->encoding = DW_EH_PE_absptr;
	if (!section->is_eh_frame && strcmp(letter, "S") == 0)
		return common->is_signal = true;
	if (*letter == '\0')
		return true;
	if (*letter != 'z' || !data.at || !section->is_eh_frame)
		return false;
	common->has_sizes = true;
	data.end = data.at + cie->augmentation_data_size;
	while (*++letter && !data.failed) {
		switch (*letter) {
		case 'S':
			common->is_signal = true;
			break;
		case 'L':
			cfi_read_number(&data, 1);
			break;
		case 'P':
			encoding = (u8)cfi_read_number(&data, 1);
			cfi_read_pointer(&data, encoding & 0x0f, NULL);
			break;
		case 'R':
			common->encoding = (u8)cfi_read_number(&data, 1);
			break;
		default:
			return false;
		}
	}
	return !data.failed;
}

static int add_common(struct cfi_entries *list, const struct cfi_section *section, u64 offset, const Dwarf_CIE *cie)
{
	struct cfi_reader program = {.at = cie->initial_instructions, .end = cie->initial_instructions_end};
	struct cfi_common *common;

	if (list->common_count == COMMONS_MAX)
		return -EFBIG;
	if (array_grow(&list->commons, list->common_count, 1))
		return -ENOMEM;
	common = &list->commons[list->common_count++];
	*common = (struct cfi_common){
		.offset = offset,
		.code_factor = cie->code_alignment_factor,
		.data_factor = cie->data_alignment_factor,
	};
	if (cie->return_address_register == REGISTER_IP && read_augmentation(cie, section, common) && program.at &&
	    program.at <= program.end)
		cfi_common_run(common, program);
	return 0;
}

static int compare_commons(const void *key, const void *element)
{
	u64 wanted = *(const u64 *)key, offset = ((const struct cfi_common *)element)->offset;

	return (wanted > offset) - (wanted < offset);
}

static int append(struct cfi_entries *list, const struct cfi_function *function)
{
	if (list->function_count == FUNCTIONS_MAX)
		return -EFBIG;
	if (array_grow(&list->functions, list->function_count, 1))
		return -ENOMEM;
	list->functions[list->function_count++] = *function;
	return 0;
}

/* A function outside of the file's code is none: a linker left it out, or the file lies. */
static int add_function(struct cfi_entries *list, const struct cfi_section *section, const Dwarf_FDE *fde)
{
	struct cfi_reader reader = {.at = fde->start, .end = fde->end};
	u64 wanted = fde->CIE_pointer, augmentation, last;
	const struct cfi_common *common = NULL;
	struct cfi_function function = {.section = section};

	if (list->common_count > list->first_common)
		common = bsearch(&wanted, list->commons + list->first_common, list->common_count - list->first_common,
				 sizeof(*common), compare_commons);
	if (!common || !common->is_usable)
		return 0;
	function.common = (u32)(common - list->commons);
	function.address = cfi_read_pointer(&reader, common->encoding, section);
	function.size = cfi_read_pointer(&reader, common->encoding & 0x0f, NULL);
	augmentation = common->has_sizes ? cfi_read_uleb(&reader) : 0;
	if (reader.failed || augmentation > (u64)(reader.end - reader.at) || function.address == 0 ||
	    function.size == 0 || function.size > UINT64_MAX - function.address)
		return 0;
	reader.at += augmentation;
	function.program = reader;
	if (elf_vaddr_to_offset(list->elf, function.address, &function.offset) != 0 ||
	    elf_vaddr_to_offset(list->elf, function.address + function.size - 1, &last) != 0 ||
	    last - function.offset != function.size - 1)
		return 0;
	return append(list, &function);
}

/*
 * It answers for an entry with a size of 4 bytes, without libdw: functions are the many, and the walk for what they have in common
 * passes them.
 */
static bool is_function(const struct cfi_section *section, u64 offset, u32 size)
{
	u32 id;

	if (size < sizeof(id) || size > section->size - offset - sizeof(size))
		return false;
	memcpy(&id, section->bytes + offset + sizeof(size), sizeof(id));
	return id != (section->is_eh_frame ? 0 : UINT32_MAX);
}

/* Call add_common or add_function for every entry; a damaged one is skipped if its size is credible. */
static int walk_entries(struct cfi_entries *list, const struct cfi_section *section, bool is_common)
{
	static const unsigned char ident[EI_NIDENT] = {
		ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
	};
	Elf_Data data = {.d_buf = section->bytes, .d_size = section->size, .d_type = ELF_T_BYTE};
	Dwarf_CFI_Entry entry;
	u64 offset = 0, next;
	int err = 0;

	for (; !err && offset + 4 <= section->size; offset = next) {
		u32 size;
		int result;

		/* libdw stops at an empty entry; linkers leave some in the middle. */
		memcpy(&size, section->bytes + offset, sizeof(size));
		next = offset + 4;
		if (size == 0 && section->ends_at_zero)
			break;
		if (size == 0)
			continue;
		if (is_common && is_function(section, offset, size)) {
			next += size;
			continue;
		}
		result = dwarf_next_cfi(ident, &data, section->is_eh_frame, offset, &next, &entry);
		if (next <= offset || next > section->size)
			break;
		if (result != 0)
			continue;
		if (dwarf_cfi_cie_p(&entry))
			err = is_common ? add_common(list, section, offset, &entry.cie) : 0;
		else
			err = is_common ? 0 : add_function(list, section, &entry.fde);
	}
	return err;
}

/* By place; of two at one place, first the one from .eh_frame, then the one that is written first. */
static int compare_functions(const void *left, const void *right)
{
	const struct cfi_function *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	if (a->section != b->section)
		return a->section->is_eh_frame ? -1 : 1;
	return (a->program.at > b->program.at) - (a->program.at < b->program.at);
}

/* Leave out what .debug_frame says about code that .eh_frame describes. Both parts are sorted. */
static void keep_gaps(struct cfi_entries *list, u32 first)
{
	const struct cfi_function *functions = list->functions;
	u32 kept = first, before = 0;

	for (u32 i = first; i < list->function_count; i++) {
		const struct cfi_function *function = &functions[i];

		while (before < first && functions[before].offset <= function->offset)
			before++;
		if (before > 0 && function->offset - functions[before - 1].offset < functions[before - 1].size)
			continue;
		list->functions[kept++] = *function;
	}
	list->function_count = kept;
}

/* Two in order become one; `taken` has what was taken out of `functions`, behind whose `kept` there is room for it. */
static void merge(struct cfi_function *functions, u32 kept, const struct cfi_function *taken, u32 count)
{
	while (count) {
		bool is_kept = kept && compare_functions(&functions[kept - 1], &taken[count - 1]) > 0;

		functions[kept + count - 1] = is_kept ? functions[kept - 1] : taken[count - 1];
		kept -= is_kept;
		count -= !is_kept;
	}
}

/*
 * Linkers write the functions of a section in order, but those of a few sections (.text, .text.unlikely) in turn: what breaks the order is
 * taken out, is nearly in order itself, and is put back where it belongs. `spare`: room for as many again.
 */
static void sort_in_turn(struct cfi_function *functions, u32 count, struct cfi_function *spare)
{
	u32 kept = 0, taken = 0;

	for (u32 i = 0; i < count; i++) {
		if (kept && compare_functions(&functions[kept - 1], &functions[i]) > 0)
			spare[taken++] = functions[i];
		else
			functions[kept++] = functions[i];
	}
	if (taken <= count / 2) {
		if (taken)
			sort_in_turn(spare, taken, spare + taken);
		merge(functions, kept, spare, taken);
		return;
	}
	memcpy(functions + kept, spare, taken * sizeof(*spare));
	qsort(functions, count, sizeof(*functions), compare_functions);
}

static int sort(struct cfi_entries *list, u32 first)
{
	u32 count = list->function_count - first;
	struct cfi_function *spare = count ? reallocarray(NULL, count, sizeof(*spare)) : NULL;

	if (!spare)
		return count ? -ENOMEM : 0;
	sort_in_turn(list->functions + first, count, spare);
	free(spare);
	return 0;
}

/* One function per place, ascending, none reaching into the next. */
static void disentangle(struct cfi_entries *list)
{
	struct cfi_function *functions = list->functions;
	u32 kept = 0;

	for (u32 i = 0; i < list->function_count; i++) {
		struct cfi_function *before = kept ? &functions[kept - 1] : NULL;

		if (before && before->offset == functions[i].offset)
			continue;
		if (before && functions[i].offset - before->offset < before->size)
			before->size = functions[i].offset - before->offset;
		functions[kept++] = functions[i];
	}
	list->function_count = kept;
}

int cfi_entries_read(const struct elf *elf, const struct cfi_section sections[CFI_SECTION_COUNT],
		     struct cfi_entries *ret_list)
{
	struct cfi_entries *list = ret_list;
	u32 first = 0;
	int err = 0;

	*list = (struct cfi_entries){.elf = elf};
	for (int i = 0; !err && i < CFI_SECTION_COUNT; i++) {
		if (!sections[i].bytes)
			continue;
		first = list->function_count;
		list->first_common = list->common_count;
		err = walk_entries(list, &sections[i], true);
		if (!err)
			err = walk_entries(list, &sections[i], false);
		if (!err)
			err = sort(list, first);
	}
	if (!err && first > 0) {
		keep_gaps(list, first);
		err = sort(list, 0);
	}
	if (!err)
		disentangle(list);
	return err;
}

void cfi_entries_release(struct cfi_entries *list)
{
	free(list->commons);
	free(list->functions);
}
