/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/go_sites.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <string.h>

#define CODE_MAX 256 /* bytes of a function that are looked at */

/* runtime/mheap.go, special: where its kind is, and _KindSpecialProfile. Go 1.20 and 1.25 to 1.27 by their sources. */
static const struct {
	unsigned int first, last; /* minor releases */
	unsigned int kind_offset, kind;
} specials[] = {
	{19, 22, 10, 2},
	{23, 23, 10, 3},
	{24, 24, 16, 3},
	{25, 27, 16, 4},
};

/* cmp 0x10(%r14),%rsp; jbe: what cmd/internal/obj/x86 makes of a function with a small frame. */
size_t go_guard_branch(const u8 *code, size_t size)
{
	static const u8 compare[] = {0x49, 0x3b, 0x66, 0x10};
	const u8 *branch = code + sizeof(compare);

	if (size < sizeof(compare) + 6 || memcmp(code, compare, sizeof(compare)) != 0)
		return 0;
	return branch[0] == 0x76 || (branch[0] == 0x0f && branch[1] == 0x86) ? sizeof(compare) : 0;
}

struct function {
	u8 code[CODE_MAX];
	u64 start;
	size_t size;
};

static int read_function(const struct elf *elf, const struct go_image *image, const struct go_lines *lines,
			 const char *name, struct function *function)
{
	u64 end;
	int err = go_lines_function(lines, name, &function->start, &end);

	if (err)
		return err;
	function->size = end - function->start < CODE_MAX ? end - function->start : CODE_MAX;
	return go_image_bytes(elf, image, function->start, function->code, function->size);
}

/* In a file whose segments overlap, other bytes may be there than the function's. */
static bool is_branch(const struct elf *elf, const u8 *branch, u64 offset)
{
	u8 there[2];

	return elf_read(elf, offset, there, sizeof(there)) == sizeof(there) && !memcmp(there, branch, sizeof(there));
}

static int find_site(const struct elf *elf, const struct function *function, u64 *ret_offset)
{
	size_t branch = go_guard_branch(function->code, function->size);
	int err = branch ? elf_vaddr_to_offset(elf, function->start + branch, ret_offset) : -EBADMSG;

	if (!err && !is_branch(elf, function->code + branch, *ret_offset))
		err = -EBADMSG;
	return err;
}

/* movb $kind,offset(special): the only byte that setprofilebucket stores. */
static bool stores_kind(const cs_insn *insn, const struct go_sites *sites)
{
	const cs_x86_op *to = &insn->detail->x86.operands[0], *from = &insn->detail->x86.operands[1];

	return insn->id == X86_INS_MOV && insn->detail->x86.op_count == 2 && to->type == X86_OP_MEM && to->size == 1 &&
	       from->type == X86_OP_IMM && to->mem.disp == sites->kind_offset && from->imm == sites->kind;
}

/* Does it note of an object what the release's does? 0 or -EBADMSG, -ENOMEM. */
static int check_kind(const struct function *born, const struct go_sites *sites)
{
	const u8 *code = born->code;
	size_t left = born->size;
	u64 address = born->start;
	int err = -EBADMSG;
	cs_insn *insn;
	csh capstone;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(capstone);
	while (err == -EBADMSG && insn && cs_disasm_iter(capstone, &code, &left, &address, insn))
		if (stores_kind(insn, sites))
			err = 0;
	if (insn)
		cs_free(insn, 1);
	cs_close(&capstone);
	return insn ? err : -ENOMEM;
}

static bool find_special(unsigned int minor, struct go_sites *sites)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++) {
		if (minor < specials[i].first || minor > specials[i].last)
			continue;
		sites->kind = specials[i].kind;
		sites->kind_offset = specials[i].kind_offset;
		return true;
	}
	return false;
}

int go_sites_find(const struct elf *elf, const struct go_image *image, const struct go_lines *lines,
		  struct go_sites *ret_sites)
{
	struct function born, died;
	int err = find_special(image->minor, ret_sites) ? 0 : -ENOTSUP;

	err = err ? err : read_function(elf, image, lines, "runtime.setprofilebucket", &born);
	err = err ? err : read_function(elf, image, lines, "runtime.freeSpecial", &died);
	err = err ? err : check_kind(&born, ret_sites);
	err = err ? err : find_site(elf, &born, &ret_sites->born);
	return err ? err : find_site(elf, &died, &ret_sites->died);
}
