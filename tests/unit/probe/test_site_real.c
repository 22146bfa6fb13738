/* SPDX-License-Identifier: GPL-2.0-or-later */
/* site.c on prologues of real allocators (bytes as Debian 12 and 13 ship them), and on the libc this test runs with. */
#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdlib.h>

#include "probe/allocator.h"
#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "site_code.h"

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
			     .arg = {arg1_, arg2_, arg3_, ARG_CX},                                                     \
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
		int err = site_find((const u8 *)prologue->code, prologue->size, prologue->kind,
				    ARGUMENTS(prologue->arg_count), false, &site);

		if (err || site.offset != expected->offset || site.emulated != expected->emulated ||
		    site.skips_null != expected->skips_null || memcmp(site.arg, expected->arg, sizeof(site.arg)) != 0)
			fail_msg("%s: %d, +%lu, arguments in %u %u %u", prologue->name, err, site.offset, site.arg[0],
				 site.arg[1], site.arg[2]);
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
	if (!function || function->passing != PASSING_NO)
		return 0;
	code = malloc(symbol->size);
	assert_non_null(code);
	assert_int_equal(elf_read(walk->elf, symbol->offset, code, symbol->size), symbol->size);
	assert_int_equal(site_find(code, symbol->size, function->kind, allocator_arguments(function), false, &site), 0);
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
		cmocka_unit_test(test_site_every_function_of_the_real_libc_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
