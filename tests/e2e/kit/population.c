/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two lists of images, the shim's and heaptap's, brought into one order and compared. */
#include "population.h"

#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger.h"
#include "text_profile.h"
#include "truth.h"

#define SHOWN_MAX 20
#define NAME_SIZE 64
#define VALUES	  4

struct image {
	pid_t pid;
	unsigned int number; /* among those of its PID */
	char name[NAME_SIZE];
	uint64_t sum[VALUES];
};

struct images {
	struct image *rows;
	size_t count;
};

static const char *const measures[VALUES] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

static void add(struct images *images, const struct image *image)
{
	images->rows = realloc(images->rows, (images->count + 1) * sizeof(*images->rows));
	if (!images->rows)
		abort();
	images->rows[images->count++] = *image;
}

static void name_image(struct image *image, const char *path)
{
	const char *slash = strrchr(path, '/');

	snprintf(image->name, sizeof(image->name), "%.60s", slash ? slash + 1 : path);
}

static void add_log(struct images *images, const char *path)
{
	struct truth truth = {0};
	struct image image = {0};
	struct tally tally;

	if (sscanf(strrchr(path, '/'), "/%*[^.].%d.%u", &image.pid, &image.number) != 2)
		fail_msg("%s: not the name of a log", path);
	assert_int_equal(truth_open_file(path, &truth), 0);
	if (truth_tally(&truth, 0, (pid_t)truth.header->pid, &tally))
		fail_msg("%s: calls are missing, or an address was handed out twice", path);
	tally_sum(&tally, image.sum);
	name_image(&image, truth.header->exe);
	if (image.sum[0])
		add(images, &image);
	tally_release(&tally);
	truth_close(&truth);
}

static struct images of_logs(const char *prefix)
{
	struct images images = {0};
	glob_t logs;

	if (glob(format("%s.*.*", prefix), 0, NULL, &logs))
		fail_msg("no logs of the shim at %s", prefix);
	for (size_t i = 0; i < logs.gl_pathc; i++)
		add_log(&images, logs.gl_pathv[i]);
	globfree(&logs);
	return images;
}

static bool listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static const char *text_of(const cJSON *process, const char *member)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(process, member));

	return text ? text : "";
}

static struct image of_process(const cJSON *process, size_t place)
{
	struct image image = {.pid = (pid_t)index_number(process, "pid"), .number = (unsigned int)place};

	name_image(&image, text_of(process, "exe"));
	/* A file that has no name where it is run. */
	if (!*image.name)
		name_image(&image, text_of(process, "comm"));
	for (int i = 0; i < VALUES; i++)
		image.sum[i] = index_number(process, measures[i]);
	return image;
}

static struct images of_index(const cJSON *index, const char *const *unlogged)
{
	struct images images = {0};
	const cJSON *process;
	size_t place = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		struct image image = of_process(process, place++);

		if (listed(unlogged, image.name))
			continue;
		ledger_assert_clean(process);
		if (image.sum[0])
			add(&images, &image);
	}
	return images;
}

static int by_name(const void *left, const void *right)
{
	const struct image *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	for (int i = 0; i < VALUES && !order; i++)
		order = a->sum[i] < b->sum[i] ? -1 : a->sum[i] > b->sum[i];
	return order;
}

static int by_pid(const void *left, const void *right)
{
	const struct image *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static void show(FILE *out, const char *who, const struct image *image)
{
	fprintf(out, "  %s: %s, process %d:", who, image->name, image->pid);
	for (int i = 0; i < VALUES; i++)
		fprintf(out, " %" PRIu64, image->sum[i]);
	fputc('\n', out);
}

/* Side by side: the one that comes first in the order has no partner. */
static size_t differences(const struct images *truth, const struct images *index, enum population_match match,
			  FILE *out)
{
	size_t t = 0, i = 0, count = 0;

	while (t < truth->count || i < index->count) {
		const struct image *a = t < truth->count ? &truth->rows[t] : NULL;
		const struct image *b = i < index->count ? &index->rows[i] : NULL;
		int side = !a			 ? 1
			   : !b			 ? -1
			   : match == MATCH_NAME ? by_name(a, b)
						 : (a->pid > b->pid) - (a->pid < b->pid);

		t += side <= 0;
		i += side >= 0;
		if (!side && !by_name(a, b))
			continue;
		if (count++ >= SHOWN_MAX)
			continue;
		if (side <= 0)
			show(out, "shim   ", a);
		if (side >= 0)
			show(out, "heaptap", b);
	}
	return count;
}

size_t population_assert_exact(const struct session *session, const char *prefix, enum population_match match,
			       const char *const *unlogged)
{
	cJSON *index = session_index(session);
	struct images truth = of_logs(prefix), profiled = of_index(index, unlogged);
	int (*order)(const void *, const void *) = match == MATCH_NAME ? by_name : by_pid;
	size_t count = truth.count, wrong, size;
	char *report = NULL;
	FILE *out = open_memstream(&report, &size);

	if (!out)
		fail_msg("no memory");
	if (truth.count)
		qsort(truth.rows, truth.count, sizeof(*truth.rows), order);
	if (profiled.count)
		qsort(profiled.rows, profiled.count, sizeof(*profiled.rows), order);
	wrong = differences(&truth, &profiled, match, out);
	fclose(out);
	if (wrong)
		fail_msg("%zu of %zu images differ (objects and bytes allocated, in use):\n%s", wrong, count, report);
	free(report);
	free(truth.rows);
	free(profiled.rows);
	cJSON_Delete(index);
	return count;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && !strcmp(name + length - tail, suffix);
}

static void assert_sums(const char *path, const uint64_t sum[VALUES])
{
	struct text_profile profile;

	assert_int_equal(pprof_profile_read(path, &profile), 0);
	if (profile.alloc_objects != sum[0] || profile.alloc_bytes != sum[1] || profile.inuse_objects != sum[2] ||
	    profile.inuse_bytes != sum[3])
		fail_msg("%s comes to %" PRIu64 " objects and %" PRIu64 " bytes, not to %" PRIu64 " and %" PRIu64, path,
			 profile.alloc_objects, profile.alloc_bytes, sum[0], sum[1]);
	text_profile_release(&profile);
}

size_t population_assert_files(const struct session *session)
{
	cJSON *index = session_index(session);
	const cJSON *process, *file;
	size_t count = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		struct image image = of_process(process, 0);

		cJSON_ArrayForEach (file, cJSON_GetObjectItemCaseSensitive(process, "files")) {
			const char *name = cJSON_GetStringValue(file);

			if (!name || !ends_with(name, ".pb.gz"))
				continue;
			assert_sums(format("%s/%s", session->output, name), image.sum);
			count++;
		}
	}
	cJSON_Delete(index);
	return count;
}

void population_assert_merged(const struct session *session, const char *file, const char *container)
{
	cJSON *index = session_index(session);
	uint64_t sum[VALUES] = {0};
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		if (container && !strstr(text_of(process, "container"), container))
			continue;
		/* A profile that a Go program of this machine kept itself is not merged. */
		if (cJSON_GetObjectItemCaseSensitive(process, "go"))
			continue;
		for (int i = 0; i < VALUES; i++)
			sum[i] += index_number(process, measures[i]);
	}
	if (!sum[0])
		fail_msg("nothing was allocated in %s; heaptap said:\n%s", container ? container : "all processes",
			 session->words);
	assert_sums(format("%s/%s", session->output, file), sum);
	cJSON_Delete(index);
}

size_t population_assert_clean(const struct session *session)
{
	cJSON *index = session_index(session);
	const cJSON *process;
	size_t count = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		ledger_assert_clean(process);
		count++;
	}
	ledger_assert_clean(index);
	cJSON_Delete(index);
	return count;
}

size_t population_assert_clean_in(const struct session *session, const struct group *group)
{
	cJSON *index = session_index(session);
	const cJSON *process;
	size_t count = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		ledger_assert_balanced(process);
		if (strcmp(text_of(process, "cgroup"), group->path) != 0)
			continue;
		ledger_assert_clean(process);
		count++;
	}
	ledger_assert_balanced(index);
	cJSON_Delete(index);
	return count;
}

/* The kernel keeps 15 characters of a name. */
static bool is_named(const cJSON *process, const char *name)
{
	struct image image = of_process(process, 0);

	return !strcmp(image.name, name) || !strncmp(text_of(process, "comm"), name, 15);
}

static size_t count(const struct session *session, const char *name, bool file)
{
	cJSON *index = session_index(session);
	const cJSON *process;
	size_t found = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		found += is_named(process, name) && index_number(process, "hits.alloc") &&
			 (!file || cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(process, "files")) > 0);
	}
	cJSON_Delete(index);
	return found;
}

size_t population_count(const struct session *session, const char *name)
{
	return count(session, name, false);
}

size_t population_count_files(const struct session *session, const char *name)
{
	return count(session, name, true);
}

uint64_t population_measure(const struct session *session, const char *measure)
{
	cJSON *index = session_index(session);
	const cJSON *process;
	uint64_t sum = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		sum += index_number(process, measure);
	}
	cJSON_Delete(index);
	return sum;
}
