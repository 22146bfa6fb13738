/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of allocator families. A family is one row of `families` and one array of its functions; target looks for
 * the marker among the functions a mapped file defines, then for the functions of that family. No state.
 */
#include <string.h>

#include "allocator.h"

/*
 * glibc. Aliases (cfree and free; memalign and aligned_alloc up to 2.37; everything named __libc_*) share an address,
 * so one name of each is enough. pvalloc books the size that was asked for, not the whole pages it hands out.
 * reallocarray jumps to realloc, and free_sized and free_aligned_sized (2.43 on) forward to free, all three through the
 * PLT so that a replaced allocator is obeyed: whoever serves them has its probe there.
 *
 * Probed functions that end in a jump to malloc, which then sees their caller as its own: realloc of NULL, and
 * aligned_alloc and memalign of an alignment up to 16. (posix_memalign calls, so malloc sees an address inside
 * posix_memalign.)
 */
static const struct allocator_function glibc_functions[] = {
	{.symbol = "malloc", .kind = CALL_MALLOC, .arg_count = 1},
	{.symbol = "calloc", .kind = CALL_CALLOC, .arg_count = 2},
	{.symbol = "realloc", .kind = CALL_REALLOC, .arg_count = 2},
	{.symbol = "reallocarray", .kind = CALL_REALLOC, .arg_count = 3, .passes = true},
	{.symbol = "aligned_alloc", .kind = CALL_ALIGNED, .arg_count = 2},
	{.symbol = "memalign", .kind = CALL_ALIGNED, .arg_count = 2},
	{.symbol = "posix_memalign", .kind = CALL_POSIX_MEMALIGN, .arg_count = 3},
	{.symbol = "valloc", .kind = CALL_MALLOC, .arg_count = 1},
	{.symbol = "pvalloc", .kind = CALL_MALLOC, .arg_count = 1},
	{.symbol = "free", .kind = CALL_FREE, .arg_count = 1},
	{.symbol = "cfree", .kind = CALL_FREE, .arg_count = 1},
	{.symbol = "free_sized", .kind = CALL_FREE, .arg_count = 1, .passes = true},
	{.symbol = "free_aligned_sized", .kind = CALL_FREE, .arg_count = 1, .passes = true},
};

static const struct allocator families[] = {
	{
		.name = "glibc",
		/*
		 * Exported by every shared glibc, and in .symtab of every static program that has glibc's malloc: both
		 * come from the same object file, so a program linked with a replacement has neither. __libc_malloc
		 * would not do: tcmalloc, jemalloc and mimalloc define it for just that purpose, and musl has one of
		 * its own. gnu_get_libc_version would not either: a static program lacks it unless it calls it.
		 */
		.marker = "__libc_mallopt",
		.functions = glibc_functions,
		.function_count = sizeof(glibc_functions) / sizeof(glibc_functions[0]),
	},
};

const struct allocator *allocator_table(unsigned int *ret_count)
{
	*ret_count = sizeof(families) / sizeof(families[0]);
	return families;
}

const struct allocator_function *allocator_find(const struct allocator *allocator, const char *symbol)
{
	for (unsigned int i = 0; i < allocator->function_count; i++)
		if (strcmp(allocator->functions[i].symbol, symbol) == 0)
			return &allocator->functions[i];
	return NULL;
}
