/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What heaptap asks of a kernel, feature by feature, and the sentence for the user when one is not there. Tables and
 * text; the probing is in feature.h.
 */
#include <stddef.h>

#include "system/capability.h"

enum feature_id {
	FEATURE_NONE = 0,
	/* Without these nothing can be recorded. */
	FEATURE_BPF,
	FEATURE_BTF,
	FEATURE_RING,
	FEATURE_TP_BTF,
	FEATURE_SIDEBAND,
	/* One of these is enough: the ways of attaching, the best first. */
	FEATURE_SESSION,
	FEATURE_MULTI,
	FEATURE_MULTI_FILTER, /* a multi link's PID filter takes every thread of the process */
	FEATURE_PERF,
	/* For --mappings alone, the better first. */
	FEATURE_FUNCTIONS,
	FEATURE_SYSCALLS,
	FEATURE_MAX
};

/* error[id]: 0 works, else the negative errno of what went wrong. */
struct features {
	int error[FEATURE_MAX];
};

struct requirement {
	const char *name;    /* "uprobe session links" */
	const char *purpose; /* what heaptap does with it */
	const char *source;  /* kernel release and config options that bring it */
};

const struct requirement *feature_text_find(enum feature_id id); /* id from 1 to FEATURE_MAX - 1 */

/*
 * The missing feature without which nothing can be recorded, the first of several; the last way of attaching, when none
 * works. FEATURE_NONE when all is well.
 */
enum feature_id feature_text_missing(const struct features *features);

/* Does a kernel of that release (uname -r) make calls of 5-byte nops that are probed, or may it (site.h)? */
bool feature_text_rewrites_nops(const char *release);

/*
 * One sentence: what is missing (a capability, a config option) and what to try. `error` is the negative errno with
 * which the feature failed.
 */
void feature_text_explain(enum feature_id id, int error, const struct privileges *privileges, char *ret_sentence,
			  size_t size);
