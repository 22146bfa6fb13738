/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The message is written in parts, each a message with some of its fields: protobuf readers add up what follows one another.
 * So memory has one entry of it at a time, and no copy of the profile.
 */
#include "format/pprof_write.h"

#include <errno.h>
#include <inttypes.h>

#include "base/stream.h"
#include "format/pprof_builder.h"
#include "format/pprof_lifetime.h"
#include "format/pprof_memory.h"
#include "format/pprof_places.h"
#include "format/pprof_sample.h"
#include "profile/ledger.h"

/* --- what is measured --- */

static void add_types(struct pprof_builder *builder)
{
	Pprof__Profile *message = &builder->part;

	pprof_builder_types(builder, ALLOC_OBJECTS, pprof_builder_measures(builder));
	message->time_nanos = pprof_builder_clamp(builder->profile->start_unix_ns);
	/* Go's own profile is since the program's beginning, which is not known, and Go leaves this out too. */
	if (!builder->profile->go.version[0])
		message->duration_nanos = pprof_builder_clamp(builder->profile->duration_ns);
}

static void add_comment(struct pprof_builder *builder, const char *text)
{
	Pprof__Profile *message = &builder->part;

	message->comment[message->n_comment++] = pprof_builder_string(builder, text);
}

static void add_fact(struct pprof_builder *builder, const char *name, u64 value)
{
	char text[96];

	snprintf(text, sizeof(text), "heaptap: %s=%" PRIu64, name, value);
	add_comment(builder, text);
}

/* What --max-overhead left out: as sentences, and as what pprof_read reads. */
static void add_restraint(struct pprof_builder *builder)
{
	const struct restraint *restraint = &builder->profile->restraint;
	char text[RESTRAINT_TEXT_MAX], comment[RESTRAINT_TEXT_MAX + 16];
	const char *name;
	u64 value;

	for (unsigned int i = 0; restraint_sentence(restraint, i, text); i++) {
		snprintf(comment, sizeof(comment), "heaptap: %s", text);
		add_comment(builder, comment);
	}
	for (unsigned int i = 0; (name = restraint_fact(restraint, i, &value)); i++)
		add_fact(builder, name, value);
}

/* Losses only: pprof shows comments above every report. */
static void add_comments(struct pprof_builder *builder)
{
	Pprof__Profile *message = &builder->part;
	const size_t most = COUNTER_MAX + RESTRAINT_SENTENCES + RESTRAINT_FACTS;

	message->comment = pprof_builder_take(builder, most, sizeof(*message->comment));
	if (!message->comment)
		return;
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (builder->profile->ledger[i] && ledger_is_loss(i))
			add_fact(builder, ledger_name(i), builder->profile->ledger[i]);
	add_restraint(builder);
}

/* --- the file --- */

/* What is in none of the tables. Entry 0 of the strings is "", by the format's rule. */
static void write_head(struct pprof_builder *builder, enum measure shown)
{
	struct pprof_memory memory;
	Pprof__Model model;

	pprof_builder_string(builder, "");
	add_types(builder);
	if (shown < MEASURE_MAX)
		builder->part.default_sample_type =
			pprof_builder_string(builder, profile_names(builder->profile)[shown]);
	add_comments(builder);
	builder->part.heaptap_resident = builder->profile->exited ? 0 : builder->profile->rss_end_bytes;
	builder->part.heaptap_memory = pprof_memory_pack(&builder->profile->memory, &memory);
	if (builder->profile->model.known) {
		pprof_model_pack(builder->profile, &model);
		builder->part.heaptap_model = &model;
	}
	pprof_builder_write(builder);
}

int pprof_write_shown(const struct profile *profile, enum measure shown, FILE *out)
{
	struct pprof_builder builder = {.profile = profile, .part = PPROF__PROFILE__INIT};
	struct pprof_places places;
	struct gzip gzip;
	int err = gzip_begin(&gzip, out, Z_BEST_SPEED);

	if (err)
		return err;
	builder.gzip = &gzip;
	write_head(&builder, shown);
	pprof_places_take_all(&builder, &places);
	pprof_places_write(&builder, &places);
	pprof_places_release(&places);
	pprof_samples_write(&builder);
	pprof_builder_write_tables(&builder);
	err = gzip_end(&gzip);
	if (builder.failed)
		return -ENOMEM;
	return err ? err : stream_flush(out);
}

int pprof_write(const struct profile *profile, FILE *out)
{
	return pprof_write_shown(profile, MEASURE_MAX, out);
}
