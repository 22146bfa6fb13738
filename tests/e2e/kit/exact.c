/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run, two accounts of it: the shim's log and heaptap's profile, compared object for object and byte for byte. */
#include "exact.h"

#include <inttypes.h>
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger.h"
#include "text_profile.h"
#include "truth.h"

#define SHOWN_MAX 20

static void assert_same(const struct tally *truth, const struct tally *profile)
{
	char *report = NULL;
	size_t size, differences;
	FILE *out = open_memstream(&report, &size);

	if (!out)
		fail_msg("no memory");
	differences = tally_difference(truth, profile, SHOWN_MAX, out);
	fclose(out);
	if (differences)
		fail_msg("%zu of %zu sites differ from the truth:\n%s", differences, truth->count, report);
	free(report);
}

/* The same totals in the header of the text, in index.json (which speaks for the .pb.gz) and in truth. */
static void assert_totals(const struct tally *truth, const struct text_profile *text, const cJSON *process)
{
	uint64_t sum[4];

	tally_sum(truth, sum);
	assert_true(sum[0] > 0);
	assert_int_equal(text->alloc_objects, sum[0]);
	assert_int_equal(text->alloc_bytes, sum[1] + (sum[1] == sum[3]));
	assert_int_equal(text->inuse_objects, sum[2]);
	assert_int_equal(text->inuse_bytes, sum[3]);
	assert_int_equal(index_number(process, "alloc_objects"), sum[0]);
	assert_int_equal(index_number(process, "alloc_space"), sum[1]);
	assert_int_equal(index_number(process, "inuse_objects"), sum[2]);
	assert_int_equal(index_number(process, "inuse_space"), sum[3]);
}

static void compare(struct scene *scene, pid_t pid, const char *comm, const char *rung, struct truth *truth,
		    uint64_t from)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, comm);
	struct tally expected, profile;
	struct text_profile text;

	if (rung)
		assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(index, "attach")), rung);
	assert_int_equal(truth_tally(truth, from, pid, &expected), 0);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	text_profile_tally(&text, truth->header->shim_start, truth->header->shim_end, &profile);
	assert_same(&expected, &profile);
	assert_totals(&expected, &text, process);
	ledger_assert_clean(process);
	text_profile_release(&text);
	tally_release(&expected);
	tally_release(&profile);
	cJSON_Delete(index);
}

static const char *name_of(const char *path)
{
	return basename((char *)format("%s", path));
}

/* Through env(1): so the shim stands in front of COMMAND alone, and the program is a second image after an exec. */
void exact_command(struct scene *scene, const char *rung, const char *const *argv)
{
	const char *args[32] = {"-R", "1", "-f", "text,pprof", "--", "/usr/bin/env"};
	const char *comm = name_of(argv[0]);
	struct truth truth = {0};
	unsigned int count = 6;
	cJSON *index;
	pid_t pid;

	args[count++] = format("LD_PRELOAD=%s", beside("shim.so"));
	args[count++] = format("%s=%s", TRUTH_VARIABLE, scene->truth);
	for (const char *const *word = argv; *word && count < 31; word++)
		args[count++] = *word;
	scene->session.environment[0] = rung ? format("HEAPTAP_ATTACH=%s", rung) : NULL;
	assert_int_equal(session_run(&scene->session, scene, args), 0);
	index = session_index(&scene->session);
	pid = (pid_t)index_number(index_process(index, comm), "pid");
	cJSON_Delete(index);
	assert_int_equal(truth_open(scene->truth, pid, &truth), 0);
	compare(scene, pid, comm, rung, &truth, 0);
	truth_close(&truth);
}

void exact_attach(struct scene *scene, const char *rung, const char *const *argv)
{
	const char *const environment[] = {format("LD_PRELOAD=%s", beside("shim.so")),
					   format("%s=%s", TRUTH_VARIABLE, scene->truth), NULL};
	struct truth truth = {0};
	uint64_t from;
	pid_t pid;

	target_start(&scene->target, environment, argv);
	target_ready(&scene->target);
	pid = scene->target.pid;
	assert_int_equal(truth_open(scene->truth, pid, &truth), 0);
	scene->session.environment[0] = rung ? format("HEAPTAP_ATTACH=%s", rung) : NULL;
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", pid), NULL});
	session_attached(&scene->session);
	from = truth_count(&truth);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	compare(scene, pid, name_of(argv[0]), rung, &truth, from);
	truth_close(&truth);
}
