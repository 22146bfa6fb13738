/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run, two accounts of its stacks: what libunwind saw from within and what heaptap saw from outside. */
#include "truestack.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "chains.h"
#include "ledger.h"
#include "e2e/shims/truth_log.h"

#define EXAMPLES_MAX	 5
#define SCENE_STACKS_MIN 100 /* fewer show nothing */

/* Runs the rest of its arguments with their output in the file named first. */
static const char *const into_file[] = {"/bin/sh", "-c", "exec \"$@\" >\"$0\""};

static void command_line(const char **argv, unsigned int count, const char *output, const char *const *more,
			 const char *const *words)
{
	for (size_t i = 0; i < sizeof(into_file) / sizeof(*into_file); i++)
		argv[count++] = into_file[i];
	argv[count++] = output;
	for (; more && *more; more++)
		argv[count++] = *more;
	for (; *words; words++)
		argv[count++] = *words;
	argv[count] = NULL;
}

static char *content(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		fail_msg("%s is not there", path);
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

/* The same output and exit status as without heaptap and shim. */
static void assert_unharmed(struct scene *scene, const char *const *words, int status)
{
	const char *alone = format("%s/alone", scene->dir), *argv[2 * STACKS_WORDS_MAX];
	char *expected, *traced;

	command_line(argv, 0, alone, NULL, words);
	scene->target.pid = child_start(&(struct child_launch){argv, NULL, -1, -1, -1, 0});
	assert_int_equal(target_finish(&scene->target), status);
	expected = content(alone);
	traced = content(format("%s/traced", scene->dir));
	assert_string_equal(traced, expected);
	free(expected);
	free(traced);
}

static void start(struct scene *scene, bool inlined, const char *output, const char *const *words)
{
	const char *args[2 * STACKS_WORDS_MAX] = {"-f", "pprof", "-R", inlined ? "4096" : "1"};
	const char *const under_shim[] = {"/usr/bin/env", format("%s=%s", TRUTH_VARIABLE, scene->truth),
					  format("LD_PRELOAD=%s", beside("shim_unwind.so")), NULL};
	unsigned int count = 4;

	if (inlined)
		args[count++] = "--inline";
	args[count++] = "--";
	command_line(args, count, output, under_shim, words);
	session_start(&scene->session, scene, args);
}

void stacks_start(struct scene *scene, const char *output, const char *const *words)
{
	start(scene, false, output, words);
}

static void report(const char *program, const struct chain_verdict *verdict, const struct chains *found,
		   const cJSON *process)
{
	static const char *const ends[] = {"truncated",	 "too_deep", "no_mapping",    "no_rule", "no_table",
					   "unreadable", "stuck",    "frame_pointer", "raw",	 "lost_slot",
					   "lost_ring",	 "cut",	     "stale"};

	print_message("%s: %" PRIu64 " stacks, %.3f %% equal; %" PRIu64 " cut, %" PRIu64
		      " longer than libunwind's, %" PRIu64 " wrong, %" PRIu64 " absent, %" PRIu64
		      " without a stack, %" PRIu64 " not the program's; ledger:",
		      program, verdict->truth, 100.0 * verdict->equal / (verdict->truth ?: 1), verdict->cut,
		      verdict->longer, verdict->wrong, verdict->absent, verdict->stackless, found->foreign);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		uint64_t count = index_number(process, format("ledger.stack_%s", ends[i]));

		if (count)
			print_message(" %s %" PRIu64, ends[i], count);
	}
	print_message("\n");
}

/* Stacks of which the ledger says that they do not reach the root. */
static uint64_t counted_short(const cJSON *process)
{
	static const char *const ends[] = {"truncated",	 "too_deep", "no_mapping",    "no_rule", "no_table",
					   "unreadable", "stuck",    "frame_pointer", "cut",	 "stale"};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sum += index_number(process, format("ledger.stack_%s", ends[i]));
	return sum;
}

/* Calls for `least` bytes and more. */
static struct chain_verdict compare(struct scene *scene, const char *program, const cJSON *process, uint64_t least,
				    char **ret_examples)
{
	struct chains truth = {0}, found = {0};
	struct chain_verdict verdict;
	struct profile *profile;
	size_t size;
	FILE *out = open_memstream(ret_examples, &size);

	assert_non_null(out);
	assert_int_equal(chains_read_truth(scene->truth, (pid_t)index_number(process, "pid"), &truth), 0);
	assert_int_equal(truth.missed, 0);
	assert_int_equal(chains_read_profile(index_file(&scene->session, process, ".pb.gz"), &truth, &found, &profile),
			 0);
	chains_drop_small(&truth, least);
	chains_drop_small(&found, least);
	verdict = chains_compare(&truth, &found, profile, EXAMPLES_MAX, out);
	fclose(out);
	report(program, &verdict, &found, process);
	ledger_assert_balanced(process);
	profile_free(profile);
	chains_release(&truth);
	chains_release(&found);
	return verdict;
}

/* At least 10 000 stacks, 99 % of them equal to libunwind's, fewer than 0.5 % cut short, and those counted. */
void stacks_assert_true(struct scene *scene, const char *program, const cJSON *process)
{
	char *examples = NULL;
	struct chain_verdict verdict = compare(scene, program, process, 0, &examples);
	uint64_t counted = counted_short(process);

	if (verdict.truth < 10000 || 100 * verdict.equal < 99 * verdict.truth || 200 * counted >= verdict.truth ||
	    verdict.cut > counted)
		fail_msg("%s: the stacks are not libunwind's:\n%s", program, examples);
	free(examples);
}

/* Run to the end, with that status, and the same output as without heaptap. */
static cJSON *run(struct scene *scene, bool inlined, const char *const *words, int status, const cJSON **ret_process)
{
	const char *comm = strrchr(words[0], '/') + 1;
	cJSON *index;

	start(scene, inlined, format("%s/traced", scene->dir), words);
	assert_int_equal(session_finish(&scene->session), status);
	assert_unharmed(scene, words, status);
	index = session_index(&scene->session);
	*ret_process = index_process(index, comm);
	return index;
}

/*
 * Heaptap knows COMMAND's own file before it runs; that of a program executed later, when it has no library to be known
 * by, a moment too late for its first calls.
 */
void stacks_static(struct scene *scene, const char *program)
{
	cJSON *index;

	scene->session.environment[0] = format("%s=%s", TRUTH_VARIABLE, scene->truth);
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "-f", "pprof", "--", beside(program), NULL}),
			 0);
	index = session_index(&scene->session);
	stacks_assert_true(scene, program, index_process(index, program));
	cJSON_Delete(index);
}

void stacks_command(struct scene *scene, const char *const *words)
{
	char *program = strdup(words[0]);
	const cJSON *process;
	cJSON *index = run(scene, false, words, 0, &process);

	stacks_assert_true(scene, program, process);
	cJSON_Delete(index);
	free(program);
}

/* For a stack that was sent raw, user space has only some bytes from the leaf on; if two stacks are in one chain, only the
 * first. */
static uint64_t cut_raw(const struct chain_verdict *verdict, const cJSON *process)
{
	uint64_t raw = index_number(process, "ledger.stack_raw"),
		 ended = index_number(process, "ledger.stack_unreadable");

	ended = ended < raw ? ended : raw;
	return verdict->cut < ended ? verdict->cut : ended;
}

static void check_scene(struct scene *scene, bool inlined, const char *program, const char *name,
			unsigned int equal_min)
{
	const char *const words[] = {beside(program), name, NULL};
	struct chain_verdict verdict;
	const cJSON *process;
	char *examples = NULL;
	cJSON *index = run(scene, inlined, words, 7, &process);

	verdict = compare(scene, name, process, inlined ? STACKS_SURE : 0, &examples);
	if (verdict.truth < SCENE_STACKS_MIN || verdict.wrong || verdict.stackless || verdict.absent ||
	    verdict.longer || verdict.cut > counted_short(process) ||
	    100 * (verdict.equal + cut_raw(&verdict, process)) < equal_min * verdict.truth)
		fail_msg("%s: not all stacks are right or counted:\n%s", name, examples);
	if (inlined)
		assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	free(examples);
	cJSON_Delete(index);
}

void stacks_scene(struct scene *scene, const char *program, const char *name, unsigned int equal_min)
{
	check_scene(scene, false, program, name, equal_min);
}

void stacks_inline_scene(struct scene *scene, const char *program, const char *name, unsigned int equal_min)
{
	setenv("SCENES_MORE", format("%d", STACKS_SURE), 1);
	check_scene(scene, true, program, name, equal_min);
	unsetenv("SCENES_MORE");
}
