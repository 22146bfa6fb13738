/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room push/: profiles on their way to a store that other programs run. One half makes requests out of profiles, one kind for each
 * store; the other half (push/delivery.h) carries them there, keeps them while the store is away, and counts what is lost.
 *
 * This header: one request, as the two halves hand it over.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUSH_BODY_MAX (8 << 20) /* bytes of a body as it is sent: compressed, if it is to be */

struct push_request {
	char *path;		    /* below the store's URL, with a slash in front; allocated */
	const char *content_type;   /* static, or of the same allocation as `path` */
	bool gzip;		    /* the body is to be compressed; after push_request_pack: it is */
	unsigned char *body;	    /* allocated */
	size_t size;		    /* of the body */
	uint64_t profiles, samples; /* what is lost with it */
	int64_t taken_ns;	    /* when the profiles were taken: CLOCK_REALTIME */
	uint32_t tries;		    /* that ended in PUSH_AGAIN_A_FEW (push/reply.h), in this run of heaptap */
};

/*
 * A copy as it is sent and kept, whose body is gzipped if that is asked for. 0 with *ret_packed set, to be freed; -EFBIG: the body is
 * larger than PUSH_BODY_MAX; or -ENOMEM.
 */
int push_request_pack(const struct push_request *request, struct push_request *ret_packed);

/* Free what it points to; all is zero afterwards. */
void push_request_free(struct push_request *request);
