/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file to a profile: unzip, unpack, check, convert. The file may come from anybody: every id and string index is
 * looked up and not trusted. Called by report.c.
 */
#include "format/pprof_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "profile/ledger.h"
#include "format/pprof_lifetime.h"
#include "profile/labels.h"
#include "format/pprof_message.h"
#include "format/pprof_locations.h"
#include "profile/estimate.h"

struct reading {
	struct pprof_message message;
	struct id_map locations;
	struct label_table labels;
	struct profile *profile;
};

/* Go's four sample types in Go's order, or the first two. */
static int check_types(const struct reading *reading)
{
	const Pprof__Profile *message = reading->message.profile;

	if (message->n_sample_type != MEASURE_MAX && message->n_sample_type != INUSE_OBJECTS)
		return -EPROTO;
	for (size_t i = 0; i < message->n_sample_type; i++)
		if (!pprof_message_string_is(&reading->message, message->sample_type[i]->type,
					     profile_measure_names[i]) ||
		    !pprof_message_string_is(&reading->message, message->sample_type[i]->unit,
					     measure_is_space(i) ? "bytes" : "count"))
			return -EPROTO;
	return 0;
}

/* The block size: the label "bytes", else the mean of what was allocated. */
static int read_size(const struct reading *reading, const Pprof__Sample *from, u64 *ret_size)
{
	*ret_size = from->value[ALLOC_OBJECTS] ? from->value[ALLOC_SPACE] / from->value[ALLOC_OBJECTS] : 0;
	for (size_t i = 0; i < from->n_label; i++) {
		if (!pprof_message_string_is(&reading->message, from->label[i]->key, "bytes") || from->label[i]->str)
			continue;
		if (from->label[i]->num < 0)
			return -EBADMSG;
		*ret_size = from->label[i]->num;
	}
	return 0;
}

/* What the labels say of where the sample comes from; labels of others are passed over. */
static int read_labels(struct reading *reading, const Pprof__Sample *from, u32 *ret_labels)
{
	const struct pprof_message *message = &reading->message;
	struct profile_labels labels = {0};

	for (size_t i = 0; i < from->n_label; i++) {
		const Pprof__Label *label = from->label[i];
		char *text = (char *)pprof_message_string(message, label->str);

		if (!text)
			return -EBADMSG;
		if (pprof_message_string_is(message, label->key, "pid") && label->num > 0 && label->num <= INT32_MAX)
			labels.pid = label->num;
		else if (pprof_message_string_is(message, label->key, "comm") && *text)
			labels.comm = text;
		else if (pprof_message_string_is(message, label->key, "container") && *text)
			labels.container = text;
		else if (pprof_message_string_is(message, label->key, "container_id") && *text)
			labels.container_id = text;
	}
	return labels_add(&reading->labels, &labels, ret_labels);
}

static int read_sample(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	const struct profile *profile = reading->profile;
	int err;

	if (from->n_value != reading->message.profile->n_sample_type)
		return -EBADMSG;
	for (size_t i = 0; i < from->n_value; i++)
		if (from->value[i] < 0)
			return -EBADMSG;
	err = read_size(reading, from, &to->size);
	err = err ? err : read_labels(reading, from, &to->labels);
	if (err)
		return err;
	to->location = calloc(from->n_location_id + 1, sizeof(*to->location));
	if (!to->location)
		return -ENOMEM;
	for (; to->depth < from->n_location_id; to->depth++)
		if (!id_map_find(&reading->locations, from->location_id[to->depth], &to->location[to->depth]))
			return -EBADMSG;
	to->alloc_count = estimate_unscale(from->value[ALLOC_OBJECTS], to->size, profile->sample_bytes);
	if (!profile->alloc_only)
		to->inuse_count = estimate_unscale(from->value[INUSE_OBJECTS], to->size, profile->sample_bytes);
	return pprof_lifetime_unpack(from->heaptap_lifetime, profile, to);
}

static int read_samples(struct reading *reading)
{
	const Pprof__Profile *message = reading->message.profile;
	struct profile *profile = reading->profile;
	int err = 0;

	profile->samples = calloc(message->n_sample + 1, sizeof(*profile->samples));
	if (!profile->samples)
		return -ENOMEM;
	for (size_t i = 0; !err && i < message->n_sample; i++)
		err = read_sample(reading, message->sample[i], &profile->samples[profile->sample_count++]);
	return err;
}

/* The losses that pprof_write leaves as comments, "heaptap: lost_ring=3"; comments of others are ignored. */
static void read_comments(const struct reading *reading)
{
	static const char prefix[] = "heaptap: ";
	const struct pprof_message *message = &reading->message;

	for (size_t i = 0; i < message->profile->n_comment; i++) {
		const char *text = pprof_message_string(message, message->profile->comment[i]), *number;
		char name[32] = "";
		unsigned int counter;

		if (!text || strncmp(text, prefix, sizeof(prefix) - 1) != 0)
			continue;
		text += sizeof(prefix) - 1;
		number = strchr(text, '=');
		if (!number || (size_t)(number - text) >= sizeof(name))
			continue;
		memcpy(name, text, number - text);
		counter = ledger_find(name);
		if (counter < COUNTER_MAX)
			reading->profile->ledger[counter] = strtoull(number + 1, NULL, 10);
	}
}

/*
 * A .pb.gz does not say whose it is; its name does: <pid>.<comm>[-N][.SEQ].pb.gz. Of any other file the name is all
 * there is to call it.
 */
static int read_name(struct profile *profile, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *rest, *suffix;
	unsigned long pid = strtoul(name, &rest, 10);

	profile->image = 1;
	if (isdigit((unsigned char)*name) && *rest == '.' && pid <= INT32_MAX) {
		profile->pid = pid;
		name = rest + 1;
	}
	profile->comm = strdup(name);
	if (!profile->comm)
		return -ENOMEM;
	suffix = strstr(profile->comm, ".pb");
	if (suffix)
		*suffix = '\0';
	return 0;
}

static int convert(struct reading *reading, const char *path)
{
	const Pprof__Profile *message = reading->message.profile;
	struct profile *profile = reading->profile;
	int err = check_types(reading);

	if (err)
		return err;
	if (message->n_string_table && *message->string_table[0])
		return -EBADMSG;
	profile->alloc_only = message->n_sample_type != MEASURE_MAX;
	profile->sample_bytes = message->period > 1 ? message->period : 1;
	profile->start_unix_ns = message->time_nanos > 0 ? message->time_nanos : 0;
	profile->duration_ns = message->duration_nanos > 0 ? message->duration_nanos : 0;
	read_comments(reading);
	err = read_name(profile, path);
	err = err ? err : pprof_read_locations(&reading->message, profile, &reading->locations);
	err = err ? err : pprof_model_unpack(message->heaptap_model, profile);
	return err ? err : read_samples(reading);
}

int pprof_read(const char *path, struct profile **ret_profile)
{
	struct reading reading = {0};
	size_t size;
	u8 *data = NULL;
	int err = gzip_read(path, &data, &size);

	if (err)
		goto out;
	reading.profile = calloc(1, sizeof(*reading.profile));
	if (!reading.profile) {
		err = -ENOMEM;
		goto out;
	}
	err = pprof_message_unpack(data, size, &reading.message);
	err = err ? err : convert(&reading, path);
	if (err)
		goto out;
	reading.profile->labels = reading.labels.sets;
	reading.profile->label_count = reading.labels.count;
	reading.labels.sets = NULL;
	reading.labels.count = 0;
	*ret_profile = reading.profile;
	reading.profile = NULL;
out:
	pprof_message_release(&reading.message);
	profile_free(reading.profile);
	label_table_release(&reading.labels);
	id_map_release(&reading.locations);
	free(data);
	return err;
}
