/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/pprof_lifetime.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "heap/gc_model.h"

/* The numbers of the model that the message has under the same names. */
#define COUNTS(EACH) EACH(gogc_percent) EACH(tenure) EACH(cycles) EACH(requests) EACH(ticks)
#define AMOUNTS(EACH)                                                                                                  \
	EACH(cycles_bytes)                                                                                             \
	EACH(marked_bytes)                                                                                             \
	EACH(goal_bytes) EACH(visited_bytes) EACH(tenured_bytes) EACH(trend) EACH(judged_bytes) EACH(promoted_bytes)

#define PACK(name)	    ret_message->name = model->name;
#define UNPACK_COUNT(name)  model->name = (u32)message->name;
#define UNPACK_AMOUNT(name) model->name = amount(message->name);

/* Field numbers of format/pprof.proto. */
enum {
	LIFETIME_DIED = 1,
	LIFETIME_ENDED = 2,
	LIFETIME_BORN = 3,
	LIFETIME_GONE = 4,
};

/* --- packing --- */

void pprof_model_pack(const struct profile *profile, Pprof__Model *ret_message)
{
	const struct profile_model *model = &profile->model;

	pprof__model__init(ret_message);
	COUNTS(PACK)
	ret_message->cycles_ns = model->cycles_ns;
	AMOUNTS(PACK)
	ret_message->clock_ns = (u64 *)model->clock_ns;
	ret_message->n_clock_ns = LIFETIME_BUCKETS;
	ret_message->age_ns = (u64 *)model->age_ns;
	ret_message->n_age_ns = LIFETIME_CLASSES;
	ret_message->memory_limit = profile->memory_limit;
	ret_message->memory_used = profile->memory_used;
}

/* The length of the table without the zeros at its end. */
static size_t significant(const u32 *table, size_t count)
{
	while (count && !table[count - 1])
		count--;
	return count;
}

static void put_table(struct wire *wire, u32 field, const u32 *table, size_t count)
{
	size_t begin;

	count = significant(table, count);
	if (!count)
		return;
	begin = wire_begin(wire, field);
	for (size_t i = 0; i < count; i++)
		wire_put_varint(wire, table[i]);
	wire_end(wire, begin);
}

void pprof_lifetime_put(const struct lifetime *lifetime, struct wire *wire)
{
	put_table(wire, LIFETIME_DIED, lifetime->died, LIFETIME_CLASSES);
	put_table(wire, LIFETIME_ENDED, lifetime->ended, LIFETIME_CLASSES);
	put_table(wire, LIFETIME_BORN, lifetime->born, LIFETIME_BUCKETS);
	put_table(wire, LIFETIME_GONE, lifetime->gone, LIFETIME_DEATH_BUCKETS);
}

/* --- unpacking: the file may be hostile --- */

/* 0 instead of what no sum of bytes can be. */
static double amount(double bytes)
{
	return fabs(bytes) < 0x1p63 ? bytes : 0;
}

static bool is_plausible(const Pprof__Model *message)
{
	return message->tenure >= 1 && message->tenure <= GC_TENURE_MAX && message->gogc_percent <= UINT32_MAX &&
	       message->cycles <= UINT32_MAX && message->requests <= UINT32_MAX && message->ticks <= UINT32_MAX &&
	       message->n_clock_ns <= LIFETIME_BUCKETS && message->n_age_ns <= LIFETIME_CLASSES;
}

int pprof_model_unpack(const Pprof__Model *message, struct profile *profile)
{
	struct profile_model *model = &profile->model;

	if (!message || profile->alloc_only)
		return 0;
	if (!is_plausible(message))
		return -EBADMSG;
	model->known = true;
	COUNTS(UNPACK_COUNT)
	if (!model->ticks)
		model->ticks = model->cycles;
	model->cycles_ns = message->cycles_ns;
	AMOUNTS(UNPACK_AMOUNT)
	for (size_t i = 0; i < message->n_clock_ns; i++)
		model->clock_ns[i] = message->clock_ns[i];
	for (size_t i = 0; i < message->n_age_ns; i++)
		model->age_ns[i] = message->age_ns[i];
	profile->memory_limit = message->memory_limit;
	profile->memory_used = message->memory_used;
	return 0;
}

static int copy_table(const u32 *from, size_t count, u32 *to, size_t room)
{
	if (count > room)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++)
		to[i] = from[i];
	return 0;
}

int pprof_lifetime_unpack(const Pprof__Lifetime *message, const struct profile *profile, struct profile_sample *sample)
{
	struct lifetime lifetime = {0};
	int err;

	if (!message || !profile->model.known)
		return 0;
	lifetime_advance(&lifetime, profile->model.ticks);
	err = copy_table(message->died, message->n_died, lifetime.died, LIFETIME_CLASSES);
	err = err ? err : copy_table(message->ended, message->n_ended, lifetime.ended, LIFETIME_CLASSES);
	err = err ? err : copy_table(message->born, message->n_born, lifetime.born, LIFETIME_BUCKETS);
	err = err ? err : copy_table(message->gone, message->n_gone, lifetime.gone, LIFETIME_DEATH_BUCKETS);
	if (err)
		return err;
	sample->lifetime = lifetime_pack(&lifetime);
	return sample->lifetime ? 0 : -ENOMEM;
}
