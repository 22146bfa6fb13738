/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aliases share an address: the first to come wins, a pool's function before a family's, a family's before one that only its
 * name is known of. Within a family it is the one that has a probe whatever its code.
 */
#include "probe/function_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_dynamic.h"
#include "binary/elf_symbols.h"
#include "probe/wrapper.h"

/* What a file must define to have malloc and free of its own, and what else tells the C library's loader. */
enum own {
	OWN_MALLOC = 1,
	OWN_FREE = 2,
	OWN_LOADER = 4,
	OWN_LIBC = 8,
	OWN_SANITIZER = 16, /* it asks for other mallocs, but has one of its own */
};

struct search {
	struct elf *elf;
	struct custom_allocator *pools;
	struct custom_allocator *pool; /* whose functions are being looked for; NULL: a family's */
	struct function_list *list;
	unsigned int markers[ALLOCATOR_FAMILIES_MAX]; /* those found of each family, one bit each */
	unsigned int own;			      /* enum own */
	const struct allocator *family;		      /* whose functions are being looked for */
	u64 offsets[FUNCTION_LIST_MAX];		      /* of the family's functions, in its order; 0: not found */
};

struct listed_function *function_list_find(struct function_list *list, u64 offset)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (list->functions[i].offset == offset)
			return &list->functions[i];
	return NULL;
}

static unsigned int own_of(const char *symbol)
{
	static const struct {
		const char *symbol;
		enum own own;
	} table[] = {
		{"malloc", OWN_MALLOC},		  {"free", OWN_FREE},
		{"_dl_allocate_tls", OWN_LOADER}, {"__libc_start_main", OWN_LIBC},
		{"__asan_init", OWN_SANITIZER},	  {"__hwasan_init", OWN_SANITIZER},
		{"__lsan_init", OWN_SANITIZER},	  {"__msan_init", OWN_SANITIZER},
		{"__tsan_init", OWN_SANITIZER},	  {"__scudo_print_stats", OWN_SANITIZER},
	};

	for (unsigned int i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].symbol, symbol))
			return table[i].own;
	return 0;
}

static int match_marker(const struct elf_symbol *symbol, void *arg)
{
	struct search *search = arg;
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	for (unsigned int i = 0; i < count; i++)
		search->markers[i] |= allocator_marker(&table[i], symbol->name);
	search->own |= own_of(symbol->name);
	if (!search->list->heap)
		search->list->heap = foreign_heap_of_symbol(symbol->name);
	return 0;
}

static bool belongs(const struct search *search, const struct allocator *family, unsigned int number)
{
	return search->markers[number] == (family->markers[1] ? 3 : 1);
}

static int match_function(const struct elf_symbol *symbol, void *arg)
{
	struct search *search = arg;
	struct function_list *list = search->list;
	const struct allocator *family = search->family;
	const struct allocator_function *function = allocator_find(family, symbol->name);
	struct listed_function *found;

	if (!function)
		return 0;
	if (search->pool)
		search->pool->found[function - family->functions] = true;
	search->offsets[function - family->functions] = symbol->offset;
	found = function_list_find(list, symbol->offset);
	if (!found) {
		if (list->count == FUNCTION_LIST_MAX)
			return -E2BIG;
		if (symbol->offset + symbol->size > UINT32_MAX)
			return -EFBIG;
		found = &list->functions[list->count++];
		*found = (struct listed_function){
			.function = function,
			.offset = symbol->offset,
			.size = symbol->size,
			.nests = family->nests,
			.pool = search->pool != NULL,
		};
	} else if (function->passing < found->function->passing) {
		found->function = function;
	}
	return 0;
}

/* It is read for files with an allocator, and where a name may be a library's own: a file without any is none to read. */
static int open_dynamic(struct search *search)
{
	int err = search->list->dynamic ? 0 : elf_dynamic_open(search->elf, &search->list->dynamic);

	return err == -ENOMEM ? err : 0;
}

/* By name, as an alias of it may be the one that is listed. */
static u64 find_nothrow(const struct search *search, const char *symbol)
{
	for (unsigned int i = 0; i < search->family->function_count; i++)
		if (!strcmp(search->family->functions[i].symbol, symbol))
			return search->offsets[i];
	return 0;
}

static void find_nothrows(struct search *search)
{
	for (unsigned int i = 0; i < search->list->count; i++) {
		struct listed_function *listed = &search->list->functions[i];

		if (listed->function->nothrow && !listed->nothrow)
			listed->nothrow = find_nothrow(search, listed->function->nothrow);
	}
}

static int add_family(struct search *search, const struct allocator *family, bool named)
{
	char *name = search->list->name;
	size_t length = strlen(name);
	int err;

	if (named)
		snprintf(name + length, sizeof(search->list->name) - length, "%s%s", length ? ", " : "", family->name);
	search->family = family;
	memset(search->offsets, 0, sizeof(search->offsets));
	err = elf_for_each_function(search->elf, match_function, search);
	find_nothrows(search);
	return err;
}

/* The minimal malloc of an older glibc's loader serves nobody once libc is there. */
static bool has_own_malloc(const struct search *search)
{
	return (search->own & (OWN_MALLOC | OWN_FREE)) == (OWN_MALLOC | OWN_FREE) &&
	       (search->own & (OWN_LOADER | OWN_LIBC)) != OWN_LOADER;
}

/* *ret_trusted: the file is named as one that has an allocator, without a word about its functions. */
static int add_pools(struct search *search, bool *ret_trusted)
{
	int err = search->pools ? open_dynamic(search) : 0;

	*ret_trusted = false;
	for (struct custom_allocator *pool = search->pools; pool && !err; pool = pool->next) {
		if (!custom_allocator_is_in(pool, search->elf, search->list->dynamic))
			continue;
		pool->seen = true;
		search->pool = pool;
		if (pool->family.function_count)
			err = add_family(search, &pool->family, true);
		else
			*ret_trusted = true;
	}
	search->pool = NULL;
	return err;
}

static int add_small_function(struct search *search, const struct allocator *family, unsigned int number)
{
	const struct pymalloc *pymalloc = &search->list->pymalloc;
	const struct elf_symbol symbol = {
		.name = family->functions[number].symbol,
		.size = pymalloc->sizes[number],
	};
	struct elf_symbol placed = symbol;
	int err = elf_vaddr_to_offset(search->elf, pymalloc->functions[number], &placed.offset);

	if (!err)
		err = match_function(&placed, search);
	if (!err)
		function_list_find(search->list, placed.offset)->small = true;
	return err;
}

/* CPython's functions, in the order of the family. A file that has none of them is like any other. */
static int add_small_family(struct search *search, const struct allocator *family)
{
	char *name = search->list->name;
	size_t length = strlen(name);
	int err = open_dynamic(search);

	if (!err)
		err = pymalloc_find(search->elf, search->list->dynamic, &search->list->pymalloc);
	if (err) {
		search->list->pymalloc.table_count = 0;
		return err == -ENOMEM ? err : 0;
	}
	snprintf(name + length, sizeof(search->list->name) - length, "%s%s", length ? ", " : "", family->name);
	search->family = family;
	for (unsigned int i = 0; i < PYMALLOC_FUNCTIONS && !err; i++)
		err = add_small_function(search, family, i);
	return err;
}

static int add_families(struct search *search, bool *ret_plain, bool *ret_replaces)
{
	unsigned int count;
	const struct allocator *table = allocator_table(&count);
	int err = 0;

	*ret_plain = *ret_replaces = false;
	for (unsigned int i = 0; i < count && !err; i++) {
		if (!belongs(search, &table[i], i))
			continue;
		if (table[i].small) {
			err = add_small_family(search, &table[i]);
			continue;
		}
		*ret_plain |= !*table[i].prefix;
		*ret_replaces |= table[i].replaces;
		err = add_family(search, &table[i], true);
	}
	return err;
}

static int make(struct search *search)
{
	bool trusted, plain, replaces;
	int err = elf_for_each_function(search->elf, match_marker, search);

	if (!err)
		err = add_pools(search, &trusted);
	if (!err)
		err = add_families(search, &plain, &replaces);
	if (!err && (search->list->count || has_own_malloc(search)))
		err = open_dynamic(search);
	if (err)
		return err;
	if (has_own_malloc(search) && !search->list->heap)
		search->list->heap = foreign_heap_of_sections(search->elf);
	if (!plain && has_own_malloc(search)) {
		search->list->hands_on =
			!trusted && !(search->own & OWN_SANITIZER) && wrapper_is(search->elf, search->list->dynamic);
		search->list->unknown = !search->list->hands_on;
		if (search->list->unknown)
			err = add_family(search, allocator_standard(), true);
	} else if (replaces) {
		err = add_family(search, allocator_standard(), false);
	}
	return err || search->list->count ? err : -ENOENT;
}

int function_list_make(struct elf *elf, struct custom_allocator *pools, struct function_list *ret_list)
{
	struct search search = {.elf = elf, .pools = pools, .list = ret_list};

	memset(ret_list, 0, sizeof(*ret_list));
	return make(&search);
}

void function_list_release(struct function_list *list)
{
	elf_dynamic_free(list->dynamic);
}
