/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VERB_H
#define VERB_H
/*
 * What each verb is called, which options it takes and what its --help says. Tables, no state.
 */
#include <argp.h>

#include "cli/cli.h"

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

/* VERB_NONE when `word` is no verb. */
enum verb verb_find(const char *word);

/* NULL for VERB_NONE. */
const char *verb_name(enum verb verb);

/* Options and texts, without a parser; for VERB_NONE those of the bare program. Never NULL. */
const struct argp *verb_argp(enum verb verb);

#endif
