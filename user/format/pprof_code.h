/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The code in a .pb.gz: mappings, functions and locations, which refer to one another by ids of any numbers. */
#include "format/pprof_message.h"

/* The ids that the entries of one table are referred to by, sorted, with the place of each in its array. */
struct pprof_ids {
	struct pprof_id {
		u64 id;
		u32 index;
	} * rows;
	size_t count;
};

/* Valid when zeroed. */
struct pprof_code {
	struct pprof_ids mappings, functions, locations;
	struct pprof_function *names; /* of the functions */
	size_t name_count;
};

/*
 * Fill the profile's mappings and locations. 0; -EBADMSG: an id is 0, stands twice or leads nowhere, or there is no such
 * string; -EFBIG; -ENOMEM. To be released in any case.
 */
int pprof_code_read(struct pprof_message *message, struct profile *profile, struct pprof_code *code);
void pprof_code_release(struct pprof_code *code);

/* The place of the location with that id. False: there is none. */
bool pprof_code_location(const struct pprof_code *code, u64 id, u32 *ret_index);
