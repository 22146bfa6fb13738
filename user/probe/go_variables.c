/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/go_variables.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_symbols.h"

#define DATA_MAX     (64u << 20)
#define CODE_MAX     4096 /* bytes of a function that are looked at */
#define ADDRESS_MAX  ((u64)1 << 47)
#define MODULE_BYTES 400

/* --- where the program is --- */

/*
 * runtime/symtab.go, moduledata, in words. The parts of the table follow one another as slices; only behind them have releases
 * added words: covctrs in 1.20, and in 1.27 what type descriptors need.
 */
enum module_word {
	MODULE_LINES = 0,
	MODULE_NAMES = 1,
	MODULE_UNITS = 4,
	MODULE_FILES = 7,
	MODULE_VALUES = 10,
	MODULE_TABLE = 13,
	MODULE_FUNCTIONS = 16, /* its length: behind it */
	MODULE_TEXT = 22,
	MODULE_ETEXT = 23,
};

/* The word that has gofunc. */
static const struct {
	unsigned int first, last, word; /* minor releases */
} gofunc_words[] = {
	{18, 19, 38},
	{20, 26, 40},
	{27, 27, 43},
};

static unsigned int gofunc_word(unsigned int minor)
{
	for (unsigned int i = 0; i < sizeof(gofunc_words) / sizeof(*gofunc_words); i++)
		if (minor >= gofunc_words[i].first && minor <= gofunc_words[i].last)
			return gofunc_words[i].word;
	return 0;
}

static u64 word_at(const u8 *bytes, unsigned int index)
{
	u64 word;

	memcpy(&word, bytes + 8UL * index, sizeof(word));
	return word;
}

/* Seven pointers into the table and the number of its functions agree: nothing else looks so. */
static bool is_module(const u8 *bytes, const u8 *header, u64 lines)
{
	static const enum module_word parts[] = {MODULE_NAMES, MODULE_UNITS, MODULE_FILES, MODULE_VALUES, MODULE_TABLE};

	if (word_at(bytes, MODULE_LINES) != lines)
		return false;
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (word_at(bytes, parts[i]) != lines + word_at(header, 4 + i))
			return false;
	return word_at(bytes, MODULE_FUNCTIONS) == word_at(bytes, MODULE_TABLE) &&
	       word_at(bytes, MODULE_FUNCTIONS + 1) == word_at(header, 1) + 1 &&
	       word_at(bytes, MODULE_TEXT) < word_at(bytes, MODULE_ETEXT) && word_at(bytes, MODULE_ETEXT) < ADDRESS_MAX;
}

static int search_section(const struct go_image *image, const struct go_extent *section,
			  const struct process_memory *memory, u64 bias, struct go_module *ret_module)
{
	u64 lines = image->lines.vaddr + bias, size = section->size;
	u8 header[GO_LINES_HEADER], *bytes;
	int err = process_memory_read(memory, lines, header, sizeof(header));

	if (err || size < MODULE_BYTES || size > DATA_MAX)
		return err == -EFAULT || !err ? -ENOENT : err;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	err = process_memory_read(memory, section->vaddr + bias, bytes, size);
	err = err == -EFAULT || !err ? (err ? err : -ENOENT) : err;
	for (u64 at = 0; err == -ENOENT && at <= size - MODULE_BYTES; at += 8)
		if (is_module(bytes + at, header, lines)) {
			*ret_module = (struct go_module){
				.text = word_at(bytes + at, MODULE_TEXT) - bias,
				.etext = word_at(bytes + at, MODULE_ETEXT) - bias,
				.gofunc = word_at(bytes + at, gofunc_word(image->minor)) - bias,
			};
			err = 0;
		}
	free(bytes);
	return err == -EFAULT ? -ENOENT : err;
}

int go_module_find(const struct go_image *image, const struct process_memory *memory, u64 bias,
		   struct go_module *ret_module)
{
	int err = -ENOENT;

	if (!gofunc_word(image->minor) || !image->lines.size)
		return -ENOTSUP;
	for (unsigned int i = 0; i < image->data_count && err == -ENOENT; i++)
		err = search_section(image, &image->data[i], memory, bias, ret_module);
	return err;
}

/* --- variables --- */

/* Names are known without knowing where the program is. */
bool go_keeps_profile(const struct elf *elf, struct go_image *ret_image)
{
	const struct go_module nowhere = {0};
	struct go_lines *lines;
	u64 start, end;
	bool keeps;

	if (go_image_read(elf, ret_image))
		return false;
	if (go_lines_open(elf, ret_image, &nowhere, &lines))
		return true;
	keeps = !go_lines_function(lines, "runtime.memProfileInternal", &start, &end) ||
		!go_lines_function(lines, "runtime.MemProfile", &start, &end);
	go_lines_free(lines);
	return keeps;
}

struct function_code {
	u8 bytes[CODE_MAX];
	u64 start;
	size_t size;
};

static int read_code(struct elf *elf, const struct go_image *image, const struct go_lines *lines, const char *name,
		     struct function_code *code)
{
	u64 end;
	int err = go_lines_function(lines, name, &code->start, &end);

	if (err)
		return err;
	code->size = end - code->start < CODE_MAX ? end - code->start : CODE_MAX;
	return go_image_bytes(elf, image, code->start, code->bytes, code->size);
}

/* The variable that an instruction loads `size` bytes of; 0: it loads none by its address. */
static u64 loaded(const cs_insn *insn, u8 size)
{
	const cs_x86_op *from = &insn->detail->x86.operands[1];

	if (insn->id != X86_INS_MOV || insn->detail->x86.op_count != 2 || from->type != X86_OP_MEM ||
	    from->mem.base != X86_REG_RIP || from->size != size)
		return 0;
	return insn->address + insn->size + (u64)from->mem.disp;
}

/* The `which`-th different variable of that size, from 0, that the function loads. 0 or -ENOENT. */
static int nth_loaded(csh capstone, const struct function_code *code, u8 size, unsigned int which, u64 *ret_variable)
{
	cs_insn *insn = cs_malloc(capstone);
	const u8 *bytes = code->bytes;
	size_t left = code->size;
	u64 address = code->start, last = 0;
	int err = insn ? -ENOENT : -ENOMEM;

	while (err == -ENOENT && cs_disasm_iter(capstone, &bytes, &left, &address, insn)) {
		u64 variable = loaded(insn, size);

		if (!variable || variable == last)
			continue;
		last = variable;
		if (which--)
			continue;
		*ret_variable = variable;
		err = 0;
	}
	if (insn)
		cs_free(insn, 1);
	return err;
}

/* Where each is loaded first, in Go 1.19 to 1.27: tests compare this with the symbols. */
static const struct {
	const char *variable, *function;
	u8 size;
	unsigned int which;
	size_t member;
} known[] = {
	{"runtime.mbuckets", "runtime.mProf_FlushLocked", 8, 0, offsetof(struct go_variables, buckets)},
	{"runtime.mProfCycle", "runtime.mProf_Flush", 4, 0, offsetof(struct go_variables, cycle)},
	{"runtime.MemProfileRate", "runtime.profilealloc", 8, 1, offsetof(struct go_variables, rate)},
};

int go_variables_find(struct elf *elf, const struct go_image *image, const struct go_lines *lines,
		      struct go_variables *ret_variables)
{
	struct function_code code;
	csh capstone;
	int err = cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) == CS_ERR_OK ? 0 : -ENOMEM;

	if (err)
		return err;
	cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
	for (unsigned int i = 0; i < sizeof(known) / sizeof(*known) && !err; i++) {
		u64 *variable = (u64 *)((char *)ret_variables + known[i].member);

		if (!elf_find_variable(elf, known[i].variable, variable))
			continue;
		err = read_code(elf, image, lines, known[i].function, &code);
		err = err ? err : nth_loaded(capstone, &code, known[i].size, known[i].which, variable);
	}
	cs_close(&capstone);
	return err;
}
