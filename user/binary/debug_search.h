/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where debug files are looked for: in the file system of the process, then in heaptap's own, then on servers. Which files
 * fit says debug_file.h.
 */
#include <stdbool.h>

struct debug_search;
struct elf;
struct root_fs;

struct debug_search *debug_search_new(void); /* NULL: no memory */
void debug_search_free(struct debug_search *search);

/* Look below `root` first, which must outlive all that follows until the next call. NULL: nowhere but in heaptap's own. */
void debug_search_set_root(struct debug_search *search, const struct root_fs *root);

/* The separate debug file of `elf`: *ret_debug (elf_free it), NULL where there is none. 0 or -ENOMEM. */
int debug_search_find(struct debug_search *search, const struct elf *elf, struct elf **ret_debug);

/*
 * The file that has what `file` shares with others (dwz -m): *ret_alternate (elf_free it), NULL where none is named or that
 * is not to be had: *ret_missing says which. 0 or -ENOMEM.
 */
int debug_search_alternate(struct debug_search *search, const struct elf *file, struct elf **ret_alternate,
			   bool *ret_missing);

/* The body of a split unit of `file`, see debug_file_find_split: *ret_split, NULL where it is not there. 0 or -ENOMEM. */
int debug_search_split(struct debug_search *search, const struct elf *file, const char *directory, const char *name,
		       struct elf **ret_split);

/* The package of such bodies beside `file`, the program or library itself. The same. */
int debug_search_package(struct debug_search *search, const struct elf *file, struct elf **ret_package);

/* Why servers were not asked, as a clause for the user; NULL: they were, or none is named. */
const char *debug_search_complaint(const struct debug_search *search);
