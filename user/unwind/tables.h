/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room unwind/ turns call frame information of files (.eh_frame, .debug_frame) into tables that the programs search,
 * and walks stacks by them. It reads files through binary/ and mappings through system/; it knows no processes, images or
 * BPF maps, only the memory that it is given.
 *
 * The unwind tables of all files, as the programs see them: a worker thread compiles each file's once, puts it into the
 * shared rows, and enters it into the mapping lists of the processes that map the file. Lists are published whole, by
 * one store of their place and length into the scope's row, so that a program sees the old list or the new one. When
 * the rows are full, tables of files that no process maps any longer give way; without any, a file's code has no table
 * (its stacks end there).
 */
#include <sys/types.h>

#include "include/config.h"
#include "include/unwind.h"

struct elf;
struct address_map;
struct unwind_tables;

/* Arrays shared with the programs. Index 0 of rows is never a table's. */
struct unwind_memory {
	u32 *rows;
	u32 row_count;
	struct unwind_rule *rules; /* UNWIND_RULES_MAX of them */
	struct unwind_mapping *mappings;
	u32 mapping_count;
	struct unwind_file *files; /* UNWIND_FILES_MAX of them */
};

/* Starts the worker. 0 or negative errno. */
int unwind_tables_new(const struct unwind_memory *memory, struct unwind_tables **ret_set);
void unwind_tables_free(struct unwind_tables *set); /* stops the worker, whatever it has left to do */

/*
 * Have the file's table made unless it is, or is under way. The elf must outlive the set, or be forgotten. 0 or
 * -ENOMEM.
 */
int unwind_tables_request(struct unwind_tables *set, struct elf *elf);

/* The same, before the others that wait: through the file go the stacks that come first. */
int unwind_tables_hurry(struct unwind_tables *set, struct elf *elf);

/* The file is about to be closed. False: it cannot be, since its table is being made, or in a list. */
bool unwind_tables_forget(struct unwind_tables *set, const struct elf *elf);

/* Wait until every requested table is there, or every urgent one; at most `milliseconds` (negative: however long). */
void unwind_tables_wait(struct unwind_tables *set, int milliseconds);
void unwind_tables_wait_urgent(struct unwind_tables *set, int milliseconds);

/*
 * Publish the executable mappings of image `process`, as they are at `now_ns`, to the programs through `scope`, and
 * note in them that they are known; tables are requested for those that have files. Call again whenever a mapping was
 * added. 0, -ENOSPC (no room for so many mappings; the image's stacks are unwound in user space), or -ENOMEM.
 */
int unwind_tables_publish(struct unwind_tables *set, struct scope *scope, u32 process, struct address_map *mappings,
			  u64 now_ns);

/* The scope's process has ended: its mappings keep no table from giving way, and their rows are used again. */
void unwind_tables_withdraw(struct unwind_tables *set, struct scope *scope, u64 now_ns);

/*
 * The rule in force at a file offset: 0; -EAGAIN: the table is not ready yet, but requested by this; -ENOENT: the file
 * has none; -ENOMEM. The elf as with unwind_tables_request.
 */
int unwind_tables_rule(struct unwind_tables *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule);
