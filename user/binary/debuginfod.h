/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Debug files from the debuginfod servers that DEBUGINFOD_URLS names. */
#include "include/types.h"

struct build_id;
struct debuginfod;
struct elf;

/*
 * *ret_server becomes NULL when no server is named. All downloads together take at most `budget_ns`. 0; -ENOENT:
 * libdebuginfod is not installed; -ENOMEM.
 */
int debuginfod_new(u64 budget_ns, struct debuginfod **ret_server);
void debuginfod_free(struct debuginfod *server); /* NULL is fine */

/* The debug file of that build; `path` is what to call it. 0 (elf_free it), -ENOENT or -ENOMEM. */
int debuginfod_find(struct debuginfod *server, const struct build_id *id, const char *path, struct elf **ret_debug);

/* Did the time run out, so that further files were not asked for? */
bool debuginfod_gave_up(const struct debuginfod *server);
