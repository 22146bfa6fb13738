/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unzip, take apart, check, convert. The file may be hostile: every id and string index is checked before its use. */
#include "format/pprof_read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "profile/ledger.h"
#include "format/pprof_lifetime.h"
#include "format/pprof_memory.h"
#include "profile/labels.h"
#include "format/pprof_code.h"
#include "format/pprof_message.h"
#include "profile/estimate.h"
#include "profile/sample_residency.h"

/*
 * What may be made of a file. Profiles that heaptap writes take up to 40 bytes for each byte of the file, packed, and up to
 * 12 for each unpacked one; the tables that are printed are counted too.
 */
#define LEAST_BYTES    2 /* fewer are no profile, nor the magic number of gzip */
#define FLOOR_BYTES    (64ull << 20)
#define PACKED_TIMES   128
#define UNPACKED_TIMES 32
#define MOST_BYTES     (4ull << 30)

struct reading {
	struct pprof_message message;
	struct pprof_code code;
	struct label_table labels;
	struct profile *profile;
	u64 sum[MEASURE_MAX]; /* of the samples so far */
};

static bool are_called(const struct reading *reading, const char *const *names)
{
	const Pprof__Profile *message = reading->message.head;

	for (size_t i = 0; i < message->n_sample_type; i++)
		if (!pprof_message_string_is(&reading->message, message->sample_type[i]->type, names[i]) ||
		    !pprof_message_string_is(&reading->message, message->sample_type[i]->unit,
					     measure_is_space(i) ? "bytes" : "count"))
			return false;
	return true;
}

/* Go's four sample types in Go's order, or the first two; or the four of regions. */
static int check_types(const struct reading *reading)
{
	size_t count = reading->message.head->n_sample_type;

	if (count == MEASURE_MAX && are_called(reading, profile_region_names)) {
		reading->profile->kind = PROFILE_REGIONS;
		return 0;
	}
	return (count == MEASURE_MAX || count == INUSE_OBJECTS) && are_called(reading, profile_measure_names) ? 0
													      : -EPROTO;
}

/* --- samples --- */

/* What a new set of labels takes, in the profile and in the table of those that are known. */
static u64 labels_bytes(const struct profile_labels *labels)
{
	const char *texts[] = {labels->comm, labels->container, labels->container_id};
	u64 bytes = 2 * sizeof(*labels) + sizeof(struct interned);

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		bytes += texts[i] ? 2 * strlen(texts[i]) : 0;
	return bytes;
}

/* One of heaptap's own labels of text. An empty one, and that of another, is none. */
static int read_text(struct reading *reading, const Pprof__Label *label, const char *key, char **text)
{
	if (!label->str || !pprof_message_string_is(&reading->message, label->key, key))
		return 0;
	return pprof_message_text(&reading->message, label->str, reading->profile, text);
}

static int read_label(struct reading *reading, const Pprof__Label *label, struct profile_labels *labels, u64 *size)
{
	struct pprof_message *message = &reading->message;
	int err;

	if (!label->str && pprof_message_string_is(message, label->key, "bytes")) {
		if (label->num < 0)
			return -EBADMSG;
		*size = label->num;
		return 0;
	}
	if (label->num > 0 && label->num <= INT32_MAX && pprof_message_string_is(message, label->key, "pid"))
		labels->pid = label->num;
	err = read_text(reading, label, "comm", &labels->comm);
	err = err ? err : read_text(reading, label, "container", &labels->container);
	return err ? err : read_text(reading, label, "container_id", &labels->container_id);
}

/* The block size (the label "bytes", else the mean of what was allocated) and heaptap's own labels. Others are ignored. */
static int read_labels(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	struct profile_labels labels = {0};
	u32 before = reading->labels.count;
	int err = 0;

	to->size = from->value[ALLOC_OBJECTS] ? from->value[ALLOC_SPACE] / from->value[ALLOC_OBJECTS] : 0;
	for (size_t i = 0; !err && i < from->n_label; i++)
		err = read_label(reading, from->label[i], &labels, &to->size);
	err = err ? err : labels_add(&reading->labels, &labels, &to->labels);
	if (err || reading->labels.count == before)
		return err;
	return pprof_message_spend(&reading->message, 1, labels_bytes(&labels));
}

static int read_stack(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	int err = pprof_message_spend(&reading->message, from->n_location_id + 8, sizeof(*to->location));

	if (err)
		return err;
	to->location = profile_stack(reading->profile, (u32)from->n_location_id);
	if (!to->location)
		return -ENOMEM;
	for (; to->depth < from->n_location_id; to->depth++)
		if (!pprof_code_location(&reading->code, from->location_id[to->depth], &to->location[to->depth]))
			return -EBADMSG;
	return 0;
}

static int read_lifetime(struct reading *reading, const Pprof__Sample *from, struct profile_sample *to)
{
	int err = pprof_lifetime_unpack(from->heaptap_lifetime, reading->profile, to);

	if (err || !to->lifetime)
		return err;
	return pprof_message_spend(&reading->message, 1, lifetime_pack_size(to->lifetime));
}

/* Parts are no more than the whole, which is as large as so many objects of the sample's size. */
static bool is_possible(const Pprof__Residency *from, u64 size)
{
	return from->objects && from->objects <= INT64_MAX / (size ? size : 1) && from->bytes == from->objects * size &&
	       from->resident <= from->bytes && from->swapped <= from->bytes - from->resident &&
	       from->zero <= from->read;
}

static int read_residency(struct reading *reading, const Pprof__Residency *from, struct profile_sample *to)
{
	struct sample_residency residency;
	int err;

	if (!from)
		return 0;
	if (!is_possible(from, to->size))
		return -EBADMSG;
	residency = (struct sample_residency){
		.objects = from->objects,
		.bytes = from->bytes,
		.resident = from->resident,
		.swapped = from->swapped,
		.read = from->read,
		.zero = from->zero,
	};
	err = pprof_message_spend(&reading->message, 1, sizeof(residency));
	return err ? err : sample_residency_add(to, &residency);
}

/* Sums are numbers of the formats too, and whoever adds up the samples need not look. */
static int add_up(struct reading *reading, const struct profile_sample *sample)
{
	u64 value[MEASURE_MAX];

	profile_sample_values(reading->profile, sample, value);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		if (value[m] > INT64_MAX - reading->sum[m])
			return -EBADMSG;
		reading->sum[m] += value[m];
	}
	return 0;
}

static int read_sample(const void *entry, void *arg)
{
	struct reading *reading = arg;
	struct profile *profile = reading->profile;
	const Pprof__Sample *from = entry;
	struct profile_sample *to = &profile->samples[profile->sample_count++];
	int err;

	if (from->n_value != reading->message.head->n_sample_type)
		return -EBADMSG;
	for (size_t i = 0; i < from->n_value; i++)
		if (from->value[i] < 0)
			return -EBADMSG;
	err = read_labels(reading, from, to);
	err = err ? err : read_stack(reading, from, to);
	if (err)
		return err;
	to->alloc_count = estimate_unscale(from->value[ALLOC_OBJECTS], to->size, profile->sample_bytes);
	if (!profile->alloc_only)
		to->inuse_count = estimate_unscale(from->value[INUSE_OBJECTS], to->size, profile->sample_bytes);
	err = add_up(reading, to);
	err = err ? err : read_residency(reading, from->heaptap_residency, to);
	return err ? err : read_lifetime(reading, from, to);
}

static int read_samples(struct reading *reading)
{
	struct profile *profile = reading->profile;
	u64 count = reading->message.count[PPROF_SAMPLES] + 1;
	int err = pprof_message_spend(&reading->message, count, sizeof(*profile->samples));

	if (err)
		return err;
	profile->samples = calloc(count, sizeof(*profile->samples));
	if (!profile->samples)
		return -ENOMEM;
	return pprof_message_each(&reading->message, PPROF_SAMPLES, read_sample, reading);
}

/* What pprof_write leaves as comments, "heaptap: lost_ring=3"; comments of others are ignored. */
static void read_comments(const struct reading *reading)
{
	const struct pprof_message *message = &reading->message;

	for (size_t i = 0; i < message->head->n_comment; i++) {
		enum counter counter = COUNTER_MAX;
		char text[96], name[32];
		u64 value;

		if (pprof_message_copy(message, message->head->comment[i], text, sizeof(text)) &&
		    sscanf(text, "heaptap: %31[^=]=%" SCNu64, name, &value) == 2) {
			counter = ledger_find(name);
			restraint_set(&reading->profile->restraint, name, value);
		}
		if (counter < COUNTER_MAX)
			reading->profile->ledger[counter] = value;
	}
}

static void cut_extension(char *name)
{
	static const char *const extensions[] = {".pb.gz", ".pb"};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++) {
		size_t end = strlen(extensions[i]);

		if (length < end || strcmp(name + length - end, extensions[i]))
			continue;
		name[length - end] = '\0';
		return;
	}
}

/* The process is known from the file's name, <pid>.<comm>[-N][.SEQ].pb.gz. Any other name is taken as it is. */
static int read_name(struct profile *profile, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *rest;
	unsigned long pid = strtoul(name, &rest, 10);

	profile->image = 1;
	if (isdigit((unsigned char)*name) && *rest == '.' && pid <= INT32_MAX) {
		profile->pid = pid;
		name = rest + 1;
	}
	profile->comm = strdup(name);
	if (!profile->comm)
		return -ENOMEM;
	cut_extension(profile->comm);
	return 0;
}

static int convert(struct reading *reading, const char *path)
{
	const Pprof__Profile *message = reading->message.head;
	struct profile *profile = reading->profile;
	int err = check_types(reading);

	if (err)
		return err;
	if (reading->message.count[PPROF_STRINGS] && !pprof_message_string_is(&reading->message, 0, ""))
		return -EBADMSG;
	profile->alloc_only = message->n_sample_type != MEASURE_MAX;
	profile->sample_bytes = message->period > 1 ? message->period : 1;
	profile->start_unix_ns = message->time_nanos > 0 ? message->time_nanos : 0;
	profile->duration_ns = message->duration_nanos > 0 ? message->duration_nanos : 0;
	profile->rss_end_bytes = message->heaptap_resident;
	read_comments(reading);
	err = read_name(profile, path);
	err = err ? err : pprof_code_read(&reading->message, profile, &reading->code);
	err = err ? err : pprof_memory_unpack(message->heaptap_memory, &profile->memory);
	err = err ? err : pprof_model_unpack(message->heaptap_model, profile);
	return err ? err : read_samples(reading);
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

int pprof_read(const char *path, struct profile **ret_profile)
{
	struct reading reading = {0};
	u64 size, packed_size, left;
	u8 *data = NULL;
	int err = gzip_read(path, &data, &size, &packed_size);

	if (!err && size < LEAST_BYTES)
		err = -ENODATA;
	if (err)
		goto out;
	reading.profile = calloc(1, sizeof(*reading.profile));
	if (!reading.profile) {
		err = -ENOMEM;
		goto out;
	}
	left = least(FLOOR_BYTES + PACKED_TIMES * packed_size, FLOOR_BYTES + UNPACKED_TIMES * size);
	err = pprof_message_open(data, size, least(left, MOST_BYTES), &reading.message);
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
	pprof_code_release(&reading.code);
	free(data);
	return err;
}
