/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Mappings and locations of a .pb.gz: all that the profile has, or those that some stacks lead through. Their ids are 1, 2, 3 ... in
 * the order in which they stand, as some stores demand.
 */
#include "format/pprof_builder.h"
#include "profile/stack_sums.h"

struct pprof_places {
	u32 main; /* the mapping of the main program, which stands first: readers take it for that */
	u32 *mapping_ids, *location_ids; /* by the profile's index; 0: left out */
};

/* Each releases with pprof_places_release. The builder has failed where there is no memory. */
void pprof_places_take_all(struct pprof_builder *builder, struct pprof_places *ret_places);

/* `exe`: the path of the main program, whose mapping is taken in any case; NULL: unknown. */
void pprof_places_take_used(struct pprof_builder *builder, const char *exe, const struct stack_sum *rows, u32 count,
			    struct pprof_places *ret_places);

void pprof_places_write(struct pprof_builder *builder, const struct pprof_places *places);
void pprof_places_release(struct pprof_places *places);
