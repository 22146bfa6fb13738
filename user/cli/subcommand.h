/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_SUBCOMMAND_H
#define CLI_SUBCOMMAND_H
/*
 * What each verb is called, which options it takes and what its --help says. Tables, no state.
 */
#include <argp.h>

#include "cli/options.h"

/* Options without a short form. */
enum {
	KEY_HELP = 0x100,
	KEY_VERSION,
	KEY_ALLOC,
	KEY_ALLOC_ONLY,
	KEY_NO_NEW,
	KEY_FOLLOW,
	KEY_CGROUP,
	KEY_CONTAINER,
	KEY_COMM,
	KEY_EXE,
	KEY_KEEP,
	KEY_SHARED_MOUNTS,
	KEY_SHOW_ALLOCATOR,
	KEY_FORCE,
	KEY_GOGC,
	KEY_TENURE,
	KEY_INTERVAL,
	KEY_FAIL_ON,
	KEY_LIFETIMES,
	KEY_OLDER_THAN,
	KEY_BASE,
};

/* SUBCOMMAND_NONE when `word` is no verb. */
enum subcommand subcommand_find(const char *word);

/* NULL for SUBCOMMAND_NONE. */
const char *subcommand_name(enum subcommand verb);

/* Options and texts, without a parser; for SUBCOMMAND_NONE those of the bare program. Never NULL. */
const struct argp *subcommand_argp(enum subcommand verb);

#endif
