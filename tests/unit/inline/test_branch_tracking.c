/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Indirect branch tracking: calls and jumps through pointers must arrive at an endbr64, unless they say notrack. So a changed
 * function keeps its own, and the sampler, which jumps into the middle of functions, always says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <capstone/capstone.h>
#include <cmocka.h>

#include "inline/fast_path.h"
#include "inline/frame_header.h"
#include "inline/sampler_image.h"

#define MEMORY_BYTES (4 << 20)
#define PATH_AT	     0x1000
#define SLOTS_AT     0x10000
#define ORIGINALLY   0x5eed /* what the function returns */
#define ENTRY_RANGE  12	    /* in an entry of .eh_frame: the bytes of the function */
#define NOTRACK	     0x3e

/* endbr64; mov $ORIGINALLY, %eax; ret */
static const u8 code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xb8, ORIGINALLY & 0xff, ORIGINALLY >> 8, 0, 0, 0xc3};

static void patch(u8 *memory)
{
	const struct fast_path_function function = {
		.kind = CALL_MALLOC,
		.argument = {1},
		.code = code,
		.size = sizeof(code),
		.address = (uintptr_t)memory,
	};
	struct fast_path_sampler sampler = {.slots = (uintptr_t)memory + SLOTS_AT, .filter = (uintptr_t)memory};
	u8 bytes[MOVED_CODE_TAKEN_MAX];
	struct fast_path path;

	for (u32 i = 0; i < SAMPLER_ENTRIES; i++)
		sampler.entries[i] = (uintptr_t)memory;
	memcpy(memory, code, sizeof(code));
	assert_null(fast_path_make(&function, &sampler, (uintptr_t)memory + PATH_AT, &path));
	memcpy(memory + PATH_AT, path.bytes, path.size);
	assert_true(moved_code_patch(&path.moved, function.address, path.entry, bytes));
	memcpy(memory + path.moved.skip, bytes, path.moved.taken);
}

static void test_changed_function_begins_with_its_endbr64(void **state)
{
	u8 *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sampler_slot *slots = (struct sampler_slot *)(void *)(memory + SLOTS_AT);
	s64 counted = 0;

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	for (u32 i = 0; i < SAMPLER_SLOTS; i++)
		slots[i].left = 1000;
	patch(memory);
	assert_memory_equal(memory, code, 4);
	assert_int_equal(memory[4], 0xe9); /* jmp */
	assert_int_equal(((u64(*)(u64))(uintptr_t)memory)(300), ORIGINALLY);
	for (u32 i = 0; i < SAMPLER_SLOTS; i++)
		counted += 1000 - slots[i].left;
	assert_int_equal(counted, 300);
	munmap(memory, MEMORY_BYTES);
}

static bool is_indirect(csh handle, const cs_insn *insn)
{
	bool branch = cs_insn_group(handle, insn, CS_GRP_JUMP) || cs_insn_group(handle, insn, CS_GRP_CALL);

	return branch && insn->detail->x86.operands[0].type != X86_OP_IMM;
}

/* How many there are in the function of a row. */
static u32 assert_notrack(csh handle, const struct frame_header_row *row)
{
	const u8 *image = (const u8 *)sampler_image_header(), *at = image + row->function;
	u32 size, indirect = 0;
	cs_insn *insn;
	size_t count;

	memcpy(&size, image + row->entry + ENTRY_RANGE, sizeof(size));
	count = cs_disasm(handle, at, size, row->function, 0, &insn);
	assert_true(count > 0);
	assert_int_equal(insn[count - 1].address + insn[count - 1].size, row->function + size);
	for (size_t i = 0; i < count; i++) {
		if (!is_indirect(handle, &insn[i]))
			continue;
		assert_int_equal(insn[i].bytes[0], NOTRACK);
		indirect++;
	}
	cs_free(insn, count);
	return indirect;
}

static void test_sampler_jumps_through_registers_untracked(void **state)
{
	const struct sampler_header *header = sampler_image_header();
	struct frame_header frames = {0};
	u32 indirect = 0;
	csh handle;

	(void)state;
	assert_int_equal(cs_open(CS_ARCH_X86, CS_MODE_64, &handle), 0);
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	assert_int_equal(frame_header_add(&frames, (const u8 *)header + header->eh_frame, header->eh_frame_bytes,
					  header->eh_frame),
			 0);
	for (u32 i = 0; i < frames.count; i++)
		indirect += assert_notrack(handle, &frames.rows[i]);
	assert_true(indirect > 0); /* to originals */
	frame_header_release(&frames);
	cs_close(&handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changed_function_begins_with_its_endbr64),
		cmocka_unit_test(test_sampler_jumps_through_registers_untracked),
	};

	return cmocka_run_group_tests_name("branch_tracking", tests, NULL, NULL);
}
