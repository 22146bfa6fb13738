/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a store takes: profiles made into requests, each by one file of its own (pyroscope.h, parca.h, otlp.h), and how much may be in one. The
 * limits are Pyroscope's defaults, the narrowest; a body is small enough for a proxy that takes a MiB, unless one profile alone is larger.
 */
#include "format/pprof_stacks.h"
#include "push/labels.h"
#include "push/request.h"

#define STORE_SAMPLES_MAX 16000
#define STORE_PROFILE_MAX (4u << 20)   /* bytes, before gzip */
#define STORE_BODY_MAX	  (768u << 10) /* of more than one profile */

/* One profile of a pair. */
struct push_profile {
	const struct label_list *labels; /* in the store's names */
	struct pprof_stacks stacks;
	u32 part; /* 1: the whole, or its first piece */
};

struct push_store {
	const char *path, *content_type; /* of requests */
	/*
	 * The body of a request with these profiles, allocated. 0; -EFBIG: they are too much for one, or one of them is too large; or
	 * another negative errno.
	 */
	int (*encode)(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size);
	/* How many profiles these are to the store; NULL: as many. */
	u64 (*number)(const struct push_profile *profiles, u32 count);
};

const struct push_store *push_store_of(enum store_kind kind);
