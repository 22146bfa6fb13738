/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field numbers are those of format/pprof.proto. */
#include "format/pprof_sample.h"

#include "format/pprof_lifetime.h"
#include "profile/sample_residency.h"

enum {
	PROFILE_SAMPLE = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	SAMPLE_LIFETIME = 1001,
	SAMPLE_RESIDENCY = 1002,
	RESIDENCY_OBJECTS = 1,
	RESIDENCY_BYTES = 2,
	RESIDENCY_RESIDENT = 3,
	RESIDENCY_SWAPPED = 4,
	RESIDENCY_READ = 5,
	RESIDENCY_ZERO = 6,
	LABEL_KEY = 1,
	LABEL_STRING = 2,
	LABEL_NUMBER = 3,
};

struct writing {
	struct pprof_builder *builder;
	struct wire sample; /* the one that is written */
	struct wire labels; /* of the set that the last sample had: the next most often has the same */
	u32 set;
	s64 bytes_key; /* of the label "bytes"; 0: not in the table of strings yet */
};

static void put_stack(const struct profile_sample *sample, struct wire *wire)
{
	size_t begin;

	if (!sample->depth)
		return;
	begin = wire_begin(wire, SAMPLE_LOCATION);
	wire_put_indices(wire, sample->location, sample->depth);
	wire_end(wire, begin);
}

static void put_values(const struct pprof_builder *builder, const struct profile_sample *sample, struct wire *wire)
{
	bool difference = builder->profile->difference;
	size_t begin = wire_begin(wire, SAMPLE_VALUE);
	u64 value[MEASURE_MAX];

	profile_sample_values(builder->profile, sample, value);
	for (unsigned int m = 0; m < pprof_builder_measures(builder); m++)
		wire_put_varint(wire, difference ? value[m] : (u64)pprof_builder_clamp(value[m]));
	wire_end(wire, begin);
}

static void put_label(s64 key, s64 string, u64 number, struct wire *wire)
{
	size_t begin = wire_begin(wire, SAMPLE_LABEL);

	wire_put_number(wire, LABEL_KEY, (u64)key);
	wire_put_number(wire, LABEL_STRING, (u64)string);
	wire_put_number(wire, LABEL_NUMBER, (u64)pprof_builder_clamp(number));
	wire_end(wire, begin);
}

/* An empty text gets no label. */
static void put_text_label(struct writing *writing, const char *key, const char *text)
{
	if (text && *text)
		put_label(pprof_builder_string(writing->builder, key), pprof_builder_string(writing->builder, text), 0,
			  &writing->labels);
}

static void take_set(struct writing *writing, u32 set)
{
	const struct profile_labels *labels = &writing->builder->profile->labels[set - 1];

	writing->set = set;
	writing->labels.size = 0;
	if (labels->pid)
		put_label(pprof_builder_string(writing->builder, "pid"), 0, labels->pid, &writing->labels);
	put_text_label(writing, "comm", labels->comm);
	put_text_label(writing, "container", labels->container);
	put_text_label(writing, "container_id", labels->container_id);
}

/* Numbers of 0 get no label. */
static void put_labels(struct writing *writing, const struct profile_sample *sample)
{
	if (sample->size && !writing->bytes_key)
		writing->bytes_key = pprof_builder_string(writing->builder, "bytes");
	if (sample->size)
		put_label(writing->bytes_key, 0, sample->size, &writing->sample);
	if (!sample->labels || sample->labels > writing->builder->profile->label_count)
		return;
	if (sample->labels != writing->set)
		take_set(writing, sample->labels);
	wire_put_bytes(&writing->sample, writing->labels.bytes, writing->labels.size);
}

static void put_lifetime(const struct profile_sample *sample, struct wire *wire)
{
	struct lifetime lifetime = lifetime_unpack(sample->lifetime);
	size_t begin = wire_begin(wire, SAMPLE_LIFETIME);

	pprof_lifetime_put(&lifetime, wire);
	wire_end(wire, begin);
}

static void put_residency(const struct sample_residency *residency, struct wire *wire)
{
	size_t begin = wire_begin(wire, SAMPLE_RESIDENCY);

	wire_put_number(wire, RESIDENCY_OBJECTS, residency->objects);
	wire_put_number(wire, RESIDENCY_BYTES, residency->bytes);
	wire_put_number(wire, RESIDENCY_RESIDENT, residency->resident);
	wire_put_number(wire, RESIDENCY_SWAPPED, residency->swapped);
	wire_put_number(wire, RESIDENCY_READ, residency->read);
	wire_put_number(wire, RESIDENCY_ZERO, residency->zero);
	wire_end(wire, begin);
}

static void write_sample(struct writing *writing, const struct profile_sample *sample)
{
	struct wire *wire = &writing->sample;
	size_t begin = wire_begin(wire, PROFILE_SAMPLE);

	put_stack(sample, wire);
	put_values(writing->builder, sample, wire);
	put_labels(writing, sample);
	if (sample->lifetime && writing->builder->profile->model.known)
		put_lifetime(sample, wire);
	if (sample->residency)
		put_residency(sample->residency, wire);
	wire_end(wire, begin);
	writing->builder->failed |= writing->labels.failed;
	pprof_builder_write_wire(writing->builder, wire);
}

void pprof_samples_write(struct pprof_builder *builder)
{
	struct writing writing = {.builder = builder};

	for (u32 i = 0; i < builder->profile->sample_count; i++)
		write_sample(&writing, &builder->profile->samples[i]);
	wire_release(&writing.sample);
	wire_release(&writing.labels);
}
