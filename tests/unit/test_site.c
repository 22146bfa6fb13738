/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site.c on prologues of real allocators (bytes as Debian 12 and 13 ship them), on short ones made for one rule each,
 * and on the libc this test runs with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/allocator.h"
#include "../../user/elf.h"
#include "../../user/site.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct prologue {
	const char *name;
	enum call_kind kind;
	unsigned int arg_count;
	struct site expected;
	const char *code;
	size_t size;
};

/* clang-format off: as a table, and versions disagree about the macro */
#define PROLOGUE(name_, kind_, arg_count_, offset_, arg1_, arg2_, arg3_, skips_null_, code_)                           \
	{                                                                                                              \
		.name = name_, .kind = kind_, .arg_count = arg_count_,                                                 \
		.expected = {.offset = offset_,                                                                        \
			     .arg = {arg1_, arg2_, arg3_},                                                             \
			     .emulated = true,                                                                         \
			     .skips_null = skips_null_},                                                               \
		.code = code_, .size = sizeof(code_) - 1                                                               \
	}

static const struct prologue real_prologues[] = {
	PROLOGUE("glibc 2.36 malloc", CALL_MALLOC, 1, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x41\x54\x55\x53\x48\x89\xfb\x48\x83\xec\x10\x80"),
	PROLOGUE("glibc 2.36 calloc", CALL_CALLOC, 2, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x41\x55\x48\x89\xf8\x41\x54\x55\x53\x48\x83\xec"),
	PROLOGUE("glibc 2.36 realloc", CALL_REALLOC, 2, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x41\x57\x41\x56\x41\x55\x41\x54\x55\x48\x89\xf5"),
	PROLOGUE("glibc 2.36 free", CALL_FREE, 1, 9, ARG_DI, ARG_SI, ARG_DX, true,
		 "\x48\x85\xff\x0f\x84\xbf\x00\x00\x00\x55\x48\x8d\x77\xf0\x53\x48\x83\xec\x18\x48\x8b"),
	PROLOGUE("glibc 2.36 memalign", CALL_ALIGNED, 2, 7, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x80\x3d\x71\x0e\x14\x00\x00\x74\x07\xe9\x32\xf6\xff\xff\x66\x90\x48\x83\xec"),
	PROLOGUE("glibc 2.36 posix_memalign", CALL_POSIX_MEMALIGN, 3, 7, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x80\x3d\x01\x02\x14\x00\x00\x41\x54\x49\x89\xd4\x55\x48\x89\xfd\x53\x48\x89"),
	PROLOGUE("glibc 2.36 valloc", CALL_MALLOC, 1, 7, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x80\x3d\x31\x0e\x14\x00\x00\x53\x48\x89\xfb\x74\x1b\x48\x8b\x05\x34\x98\x13"),
	PROLOGUE("glibc 2.36 pvalloc", CALL_MALLOC, 1, 7, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x80\x3d\x01\x0e\x14\x00\x00\x53\x48\x89\xfb\x74\x2b\x48\x8b\x05\x04\x98\x13"),
	PROLOGUE("glibc 2.41 malloc", CALL_MALLOC, 1, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x41\x54\x55\x53\x48\x89\xfb\x48\x83\xec\x10\x80"),
	PROLOGUE("glibc 2.41 calloc", CALL_CALLOC, 2, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x41\x56\x48\x89\xf8\x41\x55\x41\x54\x55\x53\x48"),
	PROLOGUE("glibc 2.41 realloc", CALL_REALLOC, 2, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x41\x57\x41\x56\x41\x55\x41\x54\x55\x48\x89\xf5"),
	PROLOGUE("glibc 2.41 free", CALL_FREE, 1, 9, ARG_DI, ARG_SI, ARG_DX, true,
		 "\x48\x85\xff\x0f\x84\x7f\x01\x00\x00\x41\x57\x41\x56\x41\x55\x41\x54\x55\x48\x8d\x6f"),
	PROLOGUE("glibc 2.41 aligned_alloc", CALL_ALIGNED, 2, 0, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x53\x48\x89\xfb\x48\x83\xec\x10\x80\x3d\x19\x88"),
	PROLOGUE("glibc 2.41 memalign", CALL_ALIGNED, 2, 7, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x80\x3d\x61\x88\x14\x00\x00\x74\x07\xe9\x12\xf2\xff\xff\x66\x90\x48\x83\xec"),
	PROLOGUE("glibc 2.41 posix_memalign", CALL_POSIX_MEMALIGN, 3, 7, ARG_DI, ARG_SI, ARG_DX, false,
		 "\x80\x3d\x51\x7a\x14\x00\x00\x41\x54\x49\x89\xd4\x55\x48\x89\xfd\x53\x48\x89"),
	PROLOGUE("musl 1.2.5 malloc", CALL_MALLOC, 1, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\xe9\xc7\x0b\x00\x00"),
	PROLOGUE("musl 1.2.5 calloc", CALL_CALLOC, 2, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x41\x54\x55\x53\x48\x89\xf3\x48\x85\xf6\x74\x0c"),
	PROLOGUE("musl 1.2.5 realloc", CALL_REALLOC, 2, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\xe9\xe7\xfa\xff\xff"),
	PROLOGUE("musl 1.2.5 free", CALL_FREE, 1, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\xe9\xd7\x09\x00\x00"),
	PROLOGUE("musl 1.2.5 aligned_alloc", CALL_ALIGNED, 2, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x55\x48\x89\xf8\x53\x48\xf7\xd8\x48\x21\xf8\x48"),
	PROLOGUE("musl 1.2.5 posix_memalign", CALL_POSIX_MEMALIGN, 3, 13, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\xb8\x16\x00\x00\x00\x48\x83\xfe\x07\x76\x21\x53\x48\x89\xfb\x48\x89\xf7\x48\x89"
		 "\xd6"),
	PROLOGUE("musl 1.2.5 valloc", CALL_MALLOC, 1, 12, ARG_SI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x89\xfe\xbf\x00\x10\x00\x00\xe9\x4f\x95\xfc\xff"),
	PROLOGUE("jemalloc 5.3 malloc", CALL_MALLOC, 1, 11, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x81\xff\x00\x10\x00\x00\x0f\x87\x7f\x00\x00\x00\x48\x8d\x15\xd8\x89\x10"),
	PROLOGUE("jemalloc 5.3 calloc", CALL_CALLOC, 2, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x41\x57\x41\x56\x41\x55\x41\x54\x55\x48\x89\xfd"),
	PROLOGUE("jemalloc 5.3 free", CALL_FREE, 1, 52, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x89\xf8\x48\x8b\x0d\x6a\x5d\x0a\x00\x48\x89\xfa\x48\xc1\xe8\x17\x48\x81\xe2"
		 "\x00\x00\x00\xf8\x25\xf0\x00\x00\x00\x64\x48\x03\x04\x25\x00\x00\x00\x00\x48\x01\xc8\x48\x3b\x90"
		 "\xb0\x01\x00\x00\x0f\x85\x86\x00\x00\x00\x48\x89\xfe\x48\xc1\xee"),
	PROLOGUE("jemalloc 5.3 posix_memalign", CALL_POSIX_MEMALIGN, 3, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x41\x57\x41\x56\x41\x55\x49\x89\xfd\x41\x54\x55"),
	PROLOGUE("tcmalloc 2.16 malloc", CALL_MALLOC, 1, 14, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x8b\x05\x75\x91\x00\x00\x48\x85\xc0\x75\x79\x48\x8b\x05\x09\x8a\x00\x00\x64"
		 "\x4c\x8b"),
	PROLOGUE("tcmalloc 2.16 realloc", CALL_REALLOC, 2, 4, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5\x41\x57\x41\x56\x41\x55\x41\x54"),
	PROLOGUE("tcmalloc 2.16 free", CALL_FREE, 1, 14, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x8b\x05\xf5\x5e\x1b\x00\x48\x85\xc0\x0f\x85\x8c\x00\x00\x00\x48\x8b\x05\xc5"
		 "\xa7\x00"),
	PROLOGUE("tcmalloc 2.16 memalign", CALL_ALIGNED, 2, 11, ARG_DI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x81\xff\x00\x20\x00\x00\x0f\x87\xcf\x00\x00\x00\x48\x89\xfa\x48\x8d\x44"),
	PROLOGUE("mimalloc 2.0 free", CALL_FREE, 1, 76, ARG_CX, ARG_SI, ARG_DX, true,
		 "\x48\x89\xf9\x48\x85\xff\x74\x5d\x48\x8d\x7f\xff\x48\x89\xc8\x48\x81\xe7\x00\x00\x00\xfe\x48\x29"
		 "\xf8\x48\xc1\xe8\x10\x48\x8d\x04\x80\x48\xc1\xe0\x04\x48\x8d\xb0\x08\x01\x00\x00\x64\x4c\x8b\x04"
		 "\x25\x00\x00\x00\x00\x48\x8b\x97\x00\x01\x00\x00\x8b\x84\x07\x0c\x01\x00\x00\x48\x29\xc6\x48\x01"
		 "\xfe\x49\x39\xd0\x75\x32\x80\x7e\x0e\x00"),
	PROLOGUE("mimalloc 3.0 malloc", CALL_MALLOC, 1, 25, ARG_SI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x8b\x05\xe5\xae\x01\x00\x48\x89\xfe\x64\x48\x8b\x38\x48\x81\xfe\x00\x04\x00"
		 "\x00\x77\x2d\x48\x8d\x46\x07\x48\xc1\xe8\x03\x48\x8b"),
	PROLOGUE("mimalloc 3.0 calloc", CALL_CALLOC, 2, 22, ARG_AX, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x8b\x15\x85\xac\x01\x00\x48\x89\xf8\x64\x48\x8b\x3a\x48\x83\xf8\x01\x74\x08"
		 "\x48\xf7\xe6\x48\x89\xc6\x70\x70\x48\x81"),
	PROLOGUE("mimalloc 3.0 realloc", CALL_REALLOC, 2, 24, ARG_SI, ARG_DX, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x8b\x05\x65\xa8\x01\x00\x48\x89\xf2\x48\x89\xfe\x64\x48\x8b\x00\x48\x89\xc7"
		 "\xe9\x13\xee\xff\xff"),
	PROLOGUE("mimalloc 3.0 free", CALL_FREE, 1, 56, ARG_SI, ARG_SI, ARG_DX, false,
		 "\xf3\x0f\x1e\xfa\x48\x8b\x15\xf5\x19\x02\x00\x48\x89\xf9\x48\x89\xf8\x48\x89\xfe\x48\xc1\xe9\x1d"
		 "\x48\xc1\xe8\x10\x48\x8b\x14\xca\x25\xff\x1f\x00\x00\x48\x8b\x3c\xc2\x64\x48\x8b\x14\x25\x00\x00"
		 "\x00\x00\x48\x8b\x07\x48\x39\xd0\x75\x1e\x48\x8b\x47\x18\x48\x89\x06\x66\x83\x6f"),
};
/* clang-format on */

static void test_site_of_real_prologues_is_the_known_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(real_prologues); i++) {
		const struct prologue *prologue = &real_prologues[i];
		const struct site *expected = &prologue->expected;
		struct site site = {0};
		int err = site_find((const u8 *)prologue->code, prologue->size, prologue->kind, prologue->arg_count,
				    &site);

		if (err || site.offset != expected->offset || site.emulated != expected->emulated ||
		    site.skips_null != expected->skips_null || memcmp(site.arg, expected->arg, sizeof(site.arg)) != 0)
			fail_msg("%s: %d, +%lu, arguments in %u %u %u", prologue->name, err, site.offset, site.arg[0],
				 site.arg[1], site.arg[2]);
	}
}

/* Each byte string ends where the literal ends. */
#define FIND(kind, arg_count, code, ret_site) site_find((const u8 *)(code), sizeof(code) - 1, kind, arg_count, ret_site)

static struct site found(int err, const struct site *site)
{
	assert_int_equal(err, 0);
	return *site;
}

static void assert_symbol_itself(struct site site)
{
	assert_int_equal(site.offset, 0);
	assert_false(site.emulated);
	assert_false(site.skips_null);
	assert_int_equal(site.arg[0], ARG_DI);
	assert_int_equal(site.arg[1], ARG_SI);
	assert_int_equal(site.arg[2], ARG_DX);
}

static void assert_emulated_at(struct site site, u64 offset, unsigned int arg1)
{
	assert_true(site.emulated);
	assert_int_equal(site.offset, offset);
	assert_int_equal(site.arg[0], arg1);
}

/* One instruction behind endbr64: is it a site? */
static bool is_site(const char *instruction, size_t size)
{
	u8 code[32] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct site site;

	memcpy(code + 4, instruction, size);
	memset(code + 4 + size, 0xcc, 8);
	assert_int_equal(site_find(code, 4 + size + 8, CALL_MALLOC, 1, &site), 0);
	assert_int_equal(site.offset, site.emulated ? 4 : 0);
	return site.emulated;
}
#define IS_SITE(instruction) is_site(instruction, sizeof(instruction) - 1)

static void test_site_every_push_of_a_register_is_emulated(void **state)
{
	(void)state;
	for (char reg = 0; reg < 8; reg++) {
		char instruction[2] = {0x41, (char)(0x50 + reg)};

		assert_true(is_site(instruction + 1, 1));
		assert_true(is_site(instruction, 2));
	}
	assert_false(IS_SITE("\x48\x50")); /* push %rax with a REX the kernel does not know there */
	assert_false(IS_SITE("\x66\x50")); /* push %ax */
	assert_false(IS_SITE("\x6a\x01")); /* push $1 */
	assert_false(IS_SITE("\xff\x37")); /* push (%rdi) */
	assert_false(IS_SITE("\xff\xf0")); /* push %rax, long form */
}

static void test_site_one_byte_nops_are_emulated_and_no_longer_ones(void **state)
{
	(void)state;
	assert_true(IS_SITE("\x90"));
	assert_true(IS_SITE("\x66\x90"));
	assert_true(IS_SITE("\xf3\x90"));	   /* pause */
	assert_false(IS_SITE("\x41\x90"));	   /* xchg %eax,%r8d */
	assert_false(IS_SITE("\x49\x90"));	   /* xchg %rax,%r8 */
	assert_false(IS_SITE("\x0f\x1f\x00\xcc")); /* nopl: from 6.18 on only */
	assert_false(IS_SITE("\x2e\x90"));	   /* cs: no uprobe at all */
}

static void test_site_relative_branches_are_emulated(void **state)
{
	(void)state;
	for (unsigned int condition = 0; condition < 16; condition++) {
		char near[6] = {0x0f, (char)(0x80 + condition), 0x10, 0x01};
		char brief[2] = {(char)(0x70 + condition), 0x10};

		assert_true(is_site(near, sizeof(near)));
		assert_true(is_site(brief, sizeof(brief)));
	}
	assert_true(IS_SITE("\xeb\x10"));
	assert_true(IS_SITE("\xe9\x10\x01\x00\x00"));
	assert_true(IS_SITE("\xe8\x10\x01\x00\x00"));
	assert_true(IS_SITE("\xf2\xe9\x10\x01\x00\x00"));  /* bnd jmp */
	assert_false(IS_SITE("\xe3\x10"));		   /* jrcxz */
	assert_false(IS_SITE("\xff\xe0"));		   /* jmp *%rax */
	assert_false(IS_SITE("\xff\x25\x10\x01\x00\x00")); /* jmp *0x110(%rip) */
	assert_false(IS_SITE("\xc3"));
}

static void test_site_branch_with_operand_size_prefix_is_none(void **state)
{
	struct site site;

	(void)state;
	assert_false(IS_SITE("\x66\xe9\x10\x01\x00\x00"));
	assert_false(IS_SITE("\x66\x0f\x84\x10\x01\x00\x00"));
	assert_false(IS_SITE("\x66\x74\x10"));
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x66\xe8\x10\x01\x00\x00\x55", &site), -EOPNOTSUPP);
}

static void test_site_refused_prefix_on_the_only_place_left_is_an_error(void **state)
{
	struct site site = {.offset = 7};

	(void)state;
	assert_int_equal(FIND(CALL_MALLOC, 1, "\xf0\x48\xff\x07\xc3", &site), -EOPNOTSUPP); /* lock incq (%rdi); ret */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x3e\xff\xe0", &site), -EOPNOTSUPP);	    /* notrack jmp *%rax */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x36\x48\x8b\x07\xc3", &site), -EOPNOTSUPP); /* mov %ss:(%rdi),%rax */
	assert_int_equal(site.offset, 7);
	/* Such an instruction is no obstacle on the way to a better place. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\xf0\x48\xff\x07\x55", &site), &site), 4, ARG_DI);
	/* fs and gs are fine: thread-local storage. */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x64\x48\x8b\x07\xc3", &site), &site));
}

static void test_site_without_code_is_an_error(void **state)
{
	struct site site;

	(void)state;
	assert_int_equal(site_find((const u8 *)"\x55", 0, CALL_MALLOC, 1, &site), -ENODATA);
}

static void test_site_undecodable_or_cut_prologue_is_the_symbol_itself(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x06\x55", &site), &site));
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x06\x55", &site), &site));
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89", &site), &site));
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8", &site), &site));
	assert_symbol_itself(found(
		FIND(CALL_MALLOC, 1, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", &site),
		&site));
}

static void test_site_behind_a_write_of_the_stack_pointer_is_none(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x83\xec\x18\x55", &site), &site)); /* sub $0x18,%rsp */
	assert_symbol_itself(
		found(FIND(CALL_MALLOC, 1, "\x48\x8d\x64\x24\xe8\x55", &site), &site));	     /* lea -0x18(%rsp),%rsp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xc4\x55", &site), &site)); /* mov %rax,%rsp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x83\xe4\xf0\x55", &site), &site)); /* and $-16,%rsp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x58\x55", &site), &site));		 /* pop %rax */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xc8\x10\x00\x00\x55", &site), &site)); /* enter */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x48\x8b\x44\x24\x08\x55", &site), &site), 5,
			   ARG_DI); /* a read is fine */
}

static void test_site_behind_a_transfer_of_control_is_none(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xff\xd0\x55", &site), &site)); /* call *%rax */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xc3\x55", &site), &site));	 /* ret */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x0f\x05\x55", &site), &site)); /* syscall */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xcc\x55", &site), &site));	 /* int3 */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xe3\x04\x55", &site), &site)); /* jrcxz */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xc7\xf8\x10\x00\x00\x00\x55", &site), &site)); /* xbegin */
}

static void test_site_behind_a_lost_argument_is_none(void **state)
{
	/* Every instruction the walk steps over, with %rdi, or a part of it, as what it writes; then push %rbp. */
	static const char *const losses[] = {
		"\x48\x89\xc7",
		"\x89\xff",
		"\x66\x89\xc7",
		"\x40\xb7\x01",
		"\xbf\x01\x02\x03\x04",			    /* mov */
		"\x48\xbf\x01\x02\x03\x04\x05\x06\x07\x08", /* movabs */
		"\x40\x0f\xb6\xff",
		"\x48\x0f\xbe\xf8",
		"\x48\x63\xff",
		"\x48\x8d\x7f\x10", /* movzx sx sxd lea */
		"\x48\x83\xc7\x01",
		"\x48\x29\xf7",
		"\x48\x83\xe7\xf0",
		"\x48\x09\xff",
		"\x31\xff", /* add sub and or xor */
		"\x48\xf7\xd7",
		"\x48\xf7\xdf",
		"\x48\xff\xc7",
		"\xff\xcf", /* not neg inc dec */
		"\x48\xc1\xe7\x04",
		"\x48\xd1\xef",
		"\x48\xd3\xff", /* shl shr sar */
		"\x48\x0f\xaf\xfe",
		"\x48\x6b\xfe\x03", /* imul */
		"\x48\x0f\xbc\xf8",
		"\x48\x0f\xbd\xf8",
		"\xf3\x48\x0f\xbd\xf8",
		"\xf3\x48\x0f\xbc\xf8", /* bsf bsr lzcnt tzcnt */
		"\x40\x0f\x94\xc7",
		"\x40\x0f\x95\xc7",
		"\x40\x0f\x90\xc7",
		"\x40\x0f\x92\xc7", /* sete ne o b */
		"\x40\x0f\x93\xc7",
		"\x40\x0f\x97\xc7",
		"\x40\x0f\x96\xc7", /* setae a be */
		"\x66\x48\x0f\x7e\xc7",
		"\x66\x0f\x7e\xc7", /* movq movd */
		"\x48\x87\xf7",
		"\xf3\x48\xab", /* xchg, rep stos: unknown */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(losses); i++) {
		size_t size = strlen(losses[i]);
		u8 code[16] = {0};
		struct site site;

		memcpy(code, losses[i], size);
		code[size] = 0x55;
		assert_int_equal(site_find(code, size + 1, CALL_MALLOC, 1, &site), 0);
		if (site.emulated)
			fail_msg("loss %zu is not seen", i);
		/* The same instruction is no loss to a function whose first argument nobody reads. */
		assert_int_equal(site_find(code, size + 1, CALL_MALLOC, 0, &site), 0);
		if (!site.emulated && i < ARRAY_LENGTH(losses) - 2)
			fail_msg("instruction %zu ends the walk", i);
	}
}

static void test_site_implicit_writes_lose_the_third_argument(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(
		found(FIND(CALL_POSIX_MEMALIGN, 3, "\x48\xf7\xe6\x55", &site), &site)); /* mul %rsi: rax, rdx */
	assert_symbol_itself(found(FIND(CALL_POSIX_MEMALIGN, 3, "\x48\xf7\xee\x55", &site), &site)); /* imul %rsi */
	assert_emulated_at(found(FIND(CALL_CALLOC, 2, "\x48\xf7\xe6\x55", &site), &site), 3, ARG_DI);
	assert_emulated_at(found(FIND(CALL_POSIX_MEMALIGN, 3, "\x48\x0f\xaf\xc6\x55", &site), &site), 4, ARG_DI);
}

static void test_site_follows_an_argument_that_moves_on(void **state)
{
	struct site site;

	(void)state;
	/* mov %rdi,%rbx; mov %rbx,%r12; xor %edi,%edi; xor %ebx,%ebx; push %rbp */
	site = found(FIND(CALL_MALLOC, 1, "\x48\x89\xfb\x49\x89\xdc\x31\xff\x31\xdb\x55", &site), &site);
	assert_emulated_at(site, 10, ARG_R12);
	/* The original is preferred while it is intact: mov %rdi,%rax; push %rbp */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x55", &site), &site), 3, ARG_DI);
	/* Two change places through a third: mov %rdi,%rax; mov %rsi,%rdi; mov %rax,%rsi; xor %eax,%eax; push %rbp */
	site = found(FIND(CALL_REALLOC, 2, "\x48\x89\xf8\x48\x89\xf7\x48\x89\xc6\x31\xc0\x55", &site), &site);
	assert_emulated_at(site, 11, ARG_SI);
	assert_int_equal(site.arg[1], ARG_DI);
	/* A 32-bit copy is none: mov %edi,%eax; xor %edi,%edi; push %rbp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x89\xf8\x31\xff\x55", &site), &site));
	/* Nor is one through memory: mov %rdi,-8(%rsp); xor %edi,%edi; push %rbp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\x7c\x24\xf8\x31\xff\x55", &site), &site));
}

/* test %rdi,%rdi; je +0x20 */
#define NULL_TEST "\x48\x85\xff\x74\x20"

static void test_site_of_free_passes_over_the_null_test(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x55", &site), &site);
	assert_emulated_at(site, 5, ARG_DI);
	assert_true(site.skips_null);
	/* The pointer was copied, and the copy is tested: mov %rdi,%rax; test %rax,%rax; mov %rax,%rdx; je; push %rbp
	 */
	site = found(FIND(CALL_FREE, 1, "\x48\x89\xf8\x48\x85\xc0\x48\x89\xc2\x74\x20\x55", &site), &site);
	assert_emulated_at(site, 11, ARG_DI);
	assert_true(site.skips_null);
}

static void test_site_of_free_is_the_null_test_when_nothing_follows(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x48\x83\xec\x18\x55", &site), &site); /* sub $0x18,%rsp */
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x31\xff\x55", &site), &site); /* pointer lost */
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
	/* A second test of the same pointer is a site, and the end. */
	site = found(FIND(CALL_FREE, 1, NULL_TEST NULL_TEST "\x55", &site), &site);
	assert_emulated_at(site, 8, ARG_DI);
	assert_true(site.skips_null);
}

static void test_site_of_free_other_conditions_are_not_passed(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xff\x75\x20\x55", &site), &site); /* jne */
	assert_emulated_at(site, 3, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x85\xff\x74\x20\x55", &site), &site); /* test %edi,%edi */
	assert_emulated_at(site, 2, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xf7\x74\x20\x55", &site), &site); /* test %rsi,%rdi */
	assert_emulated_at(site, 3, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xf6\x74\x20\x55", &site), &site); /* test %rsi,%rsi */
	assert_emulated_at(site, 3, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xff\x31\xc0\x74\x20\x55", &site), &site); /* flags overwritten */
	assert_emulated_at(site, 5, ARG_DI);
	assert_false(site.skips_null);
}

static void test_site_of_others_than_free_stops_at_a_null_test(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_REALLOC, 2, NULL_TEST "\x55", &site), &site);
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
}

static void test_site_that_a_jump_leads_back_to_is_none(void **state)
{
	struct site site;

	(void)state;
	/* mov %rdi,%rax; nop; dec %rax; jne back to the nop */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x90\x48\xff\xc8\x75\xfa\xc3", &site), &site));
	/* Back to an instruction before it: mov %rdi,%rax; mov %rsi,%rdx; nop; ...; jne to the second mov */
	assert_symbol_itself(
		found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x48\x89\xf2\x90\xff\xc8\x75\xf8\xc3", &site), &site));
	/* Behind it: no harm. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x90\xff\xc8\x75\xfc\xc3", &site), &site), 3,
			   ARG_DI);
	/* To the symbol: a call like any other. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x55\x5d\xeb\xfc", &site), &site), 0, ARG_DI);
	/* Found behind bytes that are no code, too. */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x90\xc3\x06\x06\xeb\xfa", &site), &site));
	/* Of the two sites of free only the later one is affected: test; je +0x20; nop; dec %eax; jne to the nop. */
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x90\xff\xc8\x75\xfb\xc3", &site), &site);
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
}

static void test_site_of_random_bytes_stays_inside_them(void **state)
{
	(void)state;
	srandom(3);
	for (int round = 0; round < 20000; round++) {
		u8 code[48];
		size_t size = 1 + (size_t)random() % sizeof(code);
		u8 *exact = malloc(size); /* so that the sanitizers see a step too far */
		struct site site;
		int err;

		for (size_t i = 0; i < size; i++)
			exact[i] = (u8)random();
		err = site_find(exact, size, (enum call_kind)(1 + random() % CALL_FREE), (unsigned int)random() % 5,
				&site);
		assert_true(err == -EOPNOTSUPP || (err == 0 && site.offset < size));
		free(exact);
	}
}

struct libc_walk {
	struct elf *elf;
	unsigned int probed;
};

static int check_libc_function(const struct elf_symbol *symbol, void *arg)
{
	const struct allocator_function *function;
	struct libc_walk *walk = arg;
	unsigned int count;
	struct site site;
	u8 *code;

	function = allocator_find(allocator_table(&count), symbol->name);
	if (!function || function->passes)
		return 0;
	code = malloc(symbol->size);
	assert_non_null(code);
	assert_int_equal(elf_read(walk->elf, symbol->offset, code, symbol->size), symbol->size);
	assert_int_equal(site_find(code, symbol->size, function->kind, function->arg_count, &site), 0);
	if (!site.emulated)
		fail_msg("%s: no emulated site", symbol->name);
	free(code);
	walk->probed++;
	return 0;
}

static void test_site_every_function_of_the_real_libc_has_one(void **state)
{
	struct libc_walk walk = {0};
	Dl_info info;

	(void)state;
	assert_true(dladdr((const void *)(uintptr_t)gnu_get_libc_version, &info));
	assert_int_equal(elf_open(open(info.dli_fname, O_RDONLY | O_CLOEXEC), info.dli_fname, &walk.elf), 0);
	assert_int_equal(elf_for_each_function(walk.elf, check_libc_function, &walk), 0);
	assert_in_range(walk.probed, 9, 32);
	elf_free(walk.elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_site_of_real_prologues_is_the_known_one),
		cmocka_unit_test(test_site_every_push_of_a_register_is_emulated),
		cmocka_unit_test(test_site_one_byte_nops_are_emulated_and_no_longer_ones),
		cmocka_unit_test(test_site_relative_branches_are_emulated),
		cmocka_unit_test(test_site_branch_with_operand_size_prefix_is_none),
		cmocka_unit_test(test_site_refused_prefix_on_the_only_place_left_is_an_error),
		cmocka_unit_test(test_site_without_code_is_an_error),
		cmocka_unit_test(test_site_undecodable_or_cut_prologue_is_the_symbol_itself),
		cmocka_unit_test(test_site_behind_a_write_of_the_stack_pointer_is_none),
		cmocka_unit_test(test_site_behind_a_transfer_of_control_is_none),
		cmocka_unit_test(test_site_behind_a_lost_argument_is_none),
		cmocka_unit_test(test_site_implicit_writes_lose_the_third_argument),
		cmocka_unit_test(test_site_follows_an_argument_that_moves_on),
		cmocka_unit_test(test_site_of_free_passes_over_the_null_test),
		cmocka_unit_test(test_site_of_free_is_the_null_test_when_nothing_follows),
		cmocka_unit_test(test_site_of_free_other_conditions_are_not_passed),
		cmocka_unit_test(test_site_of_others_than_free_stops_at_a_null_test),
		cmocka_unit_test(test_site_that_a_jump_leads_back_to_is_none),
		cmocka_unit_test(test_site_of_random_bytes_stays_inside_them),
		cmocka_unit_test(test_site_every_function_of_the_real_libc_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
