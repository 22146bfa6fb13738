/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEBUGSERVER_H
#define DEBUGSERVER_H
/* Debug files from the debuginfod servers that DEBUGINFOD_URLS names. Used by symbol.c alone. */
#include "include/types.h"

struct debugserver;
struct elf;

/*
 * *ret_server becomes NULL when no server is named. All downloads together take at most `budget_ns`. 0; -ENOENT:
 * libdebuginfod is not installed; -ENOMEM.
 */
int debugserver_new(u64 budget_ns, struct debugserver **ret_server);
void debugserver_free(struct debugserver *server); /* NULL is fine */

/* The debug file of the same build as `elf`. 0 (elf_free it), -ENOENT or -ENOMEM. */
int debugserver_find(struct debugserver *server, const struct elf *elf, struct elf **ret_debug);

/* Did the time run out, so that further files were not asked for? */
bool debugserver_gave_up(const struct debugserver *server);

#endif
