/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The functions of allocators that one file has: those that --alloc names, those of families, and those of standard names. */
#include "probe/allocator.h"
#include "probe/custom_allocator.h"
#include "probe/foreign_heap.h"
#include "probe/pymalloc.h"

#define FUNCTION_LIST_MAX 160 /* of all families, aliases not counted */

struct elf;
struct elf_dynamic;

struct listed_function {
	const struct allocator_function *function;
	u64 offset, size; /* in the file; size 0: the symbol has none */
	u64 nothrow; /* where the function is that returns NULL instead of throwing (allocator.h); 0: it has none */
	bool nests;  /* of its family */
	bool pool;   /* of --alloc */
	bool small;  /* of a family that leaves larger blocks to another one */
};

struct function_list {
	char name[64]; /* of the allocators: "glibc", "static musl, jemalloc (_rjem_)" */
	struct listed_function functions[FUNCTION_LIST_MAX];
	unsigned int count;
	struct elf_dynamic *dynamic;	 /* of the file; NULL: none, or nobody had to know */
	struct pymalloc pymalloc;	 /* CPython's; table_count 0: it has none */
	const struct foreign_heap *heap; /* an allocator of which a part is seen; NULL: none that is known */
	bool unknown;			 /* among them is one of no known family */
	bool hands_on; /* it defines malloc and free, but hands calls on to another allocator: none of them are listed */
};

/*
 * `pools`: those of --alloc, linked by `next`, which learn what was found. 0; -ENOENT: the file defines no allocator; -EFBIG: functions beyond 4 GiB;
 * -E2BIG: too many; or an error of elf.
 */
int function_list_make(struct elf *elf, struct custom_allocator *pools, struct function_list *ret_list);
void function_list_release(struct function_list *list); /* also when it failed */

/* The function that begins at that offset of the file; NULL: none listed. */
struct listed_function *function_list_find(struct function_list *list, u64 offset);
