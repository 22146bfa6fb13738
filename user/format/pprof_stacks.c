/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field numbers are those of format/pprof.proto. */
#include "format/pprof_stacks.h"

#include <errno.h>

#include "base/stream.h"
#include "format/pprof_builder.h"
#include "format/pprof_places.h"

/* What travels is to be no larger than Go would write it, also in base64, of which gzip leaves a hundredth more. */
#define GZIP_LEVEL 8

enum {
	PROFILE_SAMPLE = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
};

static void write_head(struct pprof_builder *builder, const struct pprof_stacks *stacks)
{
	pprof_builder_string(builder, ""); /* entry 0, by the format's rule */
	pprof_builder_types(builder, stacks->first, stacks->end);
	builder->part.time_nanos = pprof_builder_clamp(stacks->time_unix_ns);
	builder->part.duration_nanos = pprof_builder_clamp(stacks->duration_ns);
	pprof_builder_write(builder);
}

static void put_row(const struct pprof_stacks *stacks, const struct pprof_places *places, const struct stack_sum *row,
		    struct wire *wire)
{
	size_t sample = wire_begin(wire, PROFILE_SAMPLE), begin = wire_begin(wire, SAMPLE_LOCATION);

	for (u32 i = 0; i < row->depth; i++)
		wire_put_varint(wire, places->location_ids[row->location[i]]);
	wire_end(wire, begin);
	begin = wire_begin(wire, SAMPLE_VALUE);
	for (unsigned int m = stacks->first; m < stacks->end; m++)
		wire_put_varint(wire, row->value[m]);
	wire_end(wire, begin);
	wire_end(wire, sample);
}

static void write_rows(struct pprof_builder *builder, const struct pprof_stacks *stacks,
		       const struct pprof_places *places)
{
	struct wire wire = {0};

	for (u32 i = 0; i < stacks->count && !builder->failed; i++) {
		put_row(stacks, places, &stacks->rows[i], &wire);
		pprof_builder_write_wire(builder, &wire);
	}
	wire_release(&wire);
}

int pprof_stacks_write(const struct pprof_stacks *stacks, FILE *out, u64 *ret_unpacked)
{
	struct pprof_builder builder = {.profile = stacks->profile, .part = PPROF__PROFILE__INIT};
	struct pprof_places places;
	struct gzip gzip;
	int err = gzip_begin(&gzip, out, GZIP_LEVEL);

	if (err)
		return err;
	builder.gzip = &gzip;
	write_head(&builder, stacks);
	pprof_places_take_used(&builder, stacks->exe, stacks->rows, stacks->count, &places);
	pprof_places_write(&builder, &places);
	write_rows(&builder, stacks, &places);
	pprof_places_release(&places);
	pprof_builder_write_tables(&builder);
	err = gzip_end(&gzip);
	*ret_unpacked = gzip.stream.total_in;
	if (builder.failed)
		return -ENOMEM;
	return err ? err : stream_flush(out);
}
