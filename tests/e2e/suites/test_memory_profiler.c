/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Go's test of its own memory profiler, held against heaptap: what target_mprof allocates, record by record, with every
 * number times k after the k-th run, in the text format (debug=1) and in pprof's (proto), for the program built by two
 * compilers, with and without optimization, with and without frame pointers, dynamic and static.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define SOURCE	   "tests/e2e/targets/mprof.c"
#define RUNS	   3
#define FRAMES_MAX 5

struct expected {
	/* The program's own frames from the leaf, and the mark of the line each is in. */
	struct {
		const char *function, *mark;
	} frames[FRAMES_MAX];
	bool inlined; /* the leaf into its caller */
	bool foreign; /* a library's frames stand between the leaf and its caller */
	uint64_t inuse_objects, inuse_bytes, alloc_objects, alloc_bytes;
};

static const struct expected expected[] = {
	{{{"allocate_persistent_1k", "persistent_1k"}, {"test_memory_profiler", "call_persistent_1k"}, {"main", "run"}},
	 false,
	 false,
	 32,
	 1024,
	 32,
	 1024},
	{{{"allocate_transient_1m", "transient_1m"}, {"test_memory_profiler", "call_transient_1m"}, {"main", "run"}},
	 false,
	 false,
	 0,
	 0,
	 1024,
	 1048576},
	{{{"allocate_transient_2m", "transient_2m"}, {"test_memory_profiler", "call_transient_2m"}, {"main", "run"}},
	 false,
	 false,
	 0,
	 0,
	 1,
	 2097152},
	{{{"allocate_transient_2m_inline", "transient_2m_inline"},
	  {"test_memory_profiler", "call_transient_2m_inline"},
	  {"main", "run"}},
	 true,
	 false,
	 0,
	 0,
	 1,
	 2097152},
	{{{"allocate_reflect_transient", "reflect_transient"},
	  {"allocate_reflect", "reflect"},
	  {"test_memory_profiler", "call_reflect"},
	  {"main", "run"}},
	 false,
	 true,
	 0,
	 0,
	 1,
	 2097152},
	{{{"allocate_reflect_transient", "reflect_transient"},
	  {"allocate_pointer", "pointer"},
	  {"test_memory_profiler", "call_pointer"},
	  {"main", "run"}},
	 false,
	 false,
	 0,
	 0,
	 1,
	 2097152},
};

#define EXPECTED_COUNT (sizeof(expected) / sizeof(*expected))

/*
 * One build of the program, and what heaptap wrote of it after each run and at the end: both tests of a group judge one
 * recording.
 */
static struct variant {
	char name[64], program[PATH_MAX];
	struct scene *scene;
	struct text_profile text[RUNS + 1], proto[RUNS + 1];
} variant;

/* The one line of the source with that mark. */
static unsigned int marked_line(const char *mark)
{
	const char *comment = format("/* @%s */", mark);
	FILE *file = fopen(SOURCE_DIR "/" SOURCE, "re");
	unsigned int number = 0, found = 0, count = 0;
	char line[256];

	if (!file) {
		fail_msg("no " SOURCE);
		return 0;
	}
	while (fgets(line, sizeof(line), file)) {
		number++;
		if (strstr(line, comment)) {
			found = number;
			count++;
		}
	}
	fclose(file);
	if (count != 1)
		fail_msg("%s stands in %u lines of " SOURCE, comment, count);
	return found;
}

/* --- one stack --- */

static bool is_own(const struct text_frame *frame)
{
	size_t length = strlen(frame->file), tail = strlen(SOURCE);

	return length >= tail && !strcmp(frame->file + length - tail, SOURCE);
}

static bool is_at(const struct text_frame *frame, const char *function, const char *mark)
{
	return is_own(frame) && !strcmp(frame->function, function) && frame->line == marked_line(mark);
}

/* Frame by frame from the leaf to main; what follows is libc's. */
static bool stack_is(const struct text_record *record, const struct expected *want)
{
	unsigned int at = 0;

	for (unsigned int i = 0; i < FRAMES_MAX && want->frames[i].function; i++, at++) {
		unsigned int foreign = 0;

		while (i && at < record->frame_count && !is_own(&record->frames[at]))
			foreign++, at++;
		if (at >= record->frame_count || (foreign > 0) != (i == 1 && want->foreign) ||
		    !is_at(&record->frames[at], want->frames[i].function, want->frames[i].mark))
			return false;
		if (i && (record->frames[at].pc == record->frames[at - 1].pc) != (i == 1 && want->inlined))
			return false;
	}
	return true;
}

/* One return address for every physical frame, and a frame for each. */
static bool addresses_fit(const struct text_record *record)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < record->frame_count; i++) {
		if (i && record->frames[i].pc == record->frames[i - 1].pc)
			continue;
		if (count >= record->pc_count || record->pc[count++] != record->frames[i].pc + 1)
			return false;
	}
	return count == record->pc_count;
}

static bool is_of_the_test(const struct text_record *record)
{
	for (unsigned int i = 0; i < record->frame_count; i++) {
		if (is_own(&record->frames[i]) && strcmp(record->frames[i].function, "main"))
			return true;
	}
	return false;
}

/* What Go's test says of its own stacks: each frame down to where the thread begins, and nothing between. */
static bool depth_is_right(const struct text_record *record, size_t which)
{
	if (which == 0)
		return record->frame_count >= 4 && record->frame_count <= 6;
	return which > 3 || record->frame_count == 6;
}

/* --- one line --- */

/* As Go's test from 1.27 on: all records of a line whose objects have the size, whatever stacks they have. */
static void check_sum(const struct text_profile *profile, uint64_t size, uint64_t objects, unsigned int stacks)
{
	uint64_t sum = 0;
	unsigned int count = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];

		if (!record->frame_count || !is_at(&record->frames[0], "allocate_mixed", "mixed") ||
		    record->alloc_bytes != size * record->alloc_objects)
			continue;
		assert_int_equal(record->frame_count, 6);
		assert_true(addresses_fit(record) && !record->inuse_objects);
		sum += record->alloc_objects;
		count++;
	}
	assert_int_equal(sum, objects);
	assert_true(count >= stacks); /* a compiler may write a loop out */
}

static void check_line(const struct text_profile *profile, uint64_t k)
{
	check_sum(profile, 48, k * (16 + 4), 2);
	check_sum(profile, 96, k * 8, 1);
}

/* --- one profile --- */

static void print_record(FILE *out, const struct text_record *record)
{
	fprintf(out, "%" PRIu64 ": %" PRIu64 " [%" PRIu64 ": %" PRIu64 "]\n", record->inuse_objects,
		record->inuse_bytes, record->alloc_objects, record->alloc_bytes);
	for (unsigned int i = 0; i < record->frame_count; i++)
		fprintf(out, "  %#" PRIx64 " %s %s:%u\n", record->frames[i].pc, record->frames[i].function,
			record->frames[i].file, record->frames[i].line);
}

static bool numbers_are(const struct text_record *record, const struct expected *want, uint64_t k)
{
	return record->inuse_objects == k * want->inuse_objects && record->inuse_bytes == k * want->inuse_bytes &&
	       record->alloc_objects == k * want->alloc_objects && record->alloc_bytes == k * want->alloc_bytes;
}

/* Every expected record once, with its numbers, and no other record of the test. */
static void check_profile(const struct text_profile *profile, uint64_t k)
{
	bool wrong = profile->twice_interval != 2;
	unsigned int found = 0;
	char *seen = NULL;
	size_t size;
	FILE *out = open_memstream(&seen, &size);

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];
		unsigned int which = 0;

		if (!is_of_the_test(record) || !strcmp(record->frames[0].function, "allocate_mixed"))
			continue;
		print_record(out, record);
		while (which < EXPECTED_COUNT && !stack_is(record, &expected[which]))
			which++;
		if (which == EXPECTED_COUNT || found & 1U << which || !numbers_are(record, &expected[which], k) ||
		    !addresses_fit(record) || !depth_is_right(record, which))
			wrong = true;
		else
			found |= 1U << which;
	}
	fclose(out);
	if (wrong || found != (1U << EXPECTED_COUNT) - 1)
		fail_msg("after run %" PRIu64 ", found %#x of the expected records; those of the test are:\n%s", k,
			 found, seen);
	free(seen);
	check_line(profile, k);
}

static void check_runs(const struct text_profile *profiles)
{
	for (unsigned int k = 1; k <= RUNS; k++)
		check_profile(&profiles[k - 1], k);
	check_profile(&profiles[RUNS], RUNS);
}

static void test_memory_profiler_debug_1(void **state)
{
	(void)state;
	check_runs(variant.text);
}

static void test_memory_profiler_proto(void **state)
{
	(void)state;
	check_runs(variant.proto);
}

/* --- recording --- */

/* The first files of a recording that are called so but for their extensions; both must be there. */
static void read_files(const cJSON *process, const char *name, struct text_profile *ret_text,
		       struct text_profile *ret_proto)
{
	const struct session *session = &variant.scene->session;
	const char *text = index_file(session, process, format("%s.txt", name));
	const char *proto = index_file(session, process, format("%s.pb.gz", name));

	assert_int_equal(text_profile_read(text, ret_text), 0);
	assert_int_equal(pprof_profile_read(proto, ret_proto), 0);
}

/* One process, attached to before its first run: a profile on request after each run, and the one at its end. */
static void record_runs(void)
{
	struct session *session = &variant.scene->session;
	struct child *target = &variant.scene->target;
	const cJSON *process;
	cJSON *index;
	pid_t pid;

	target_start(target, NULL, (const char *const[]){variant.program, format("%d", RUNS), NULL});
	target_ready(target);
	pid = target->pid;
	session_start(session, variant.scene,
		      (const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", pid), NULL});
	session_attached(session);
	for (unsigned int k = 1; k <= RUNS; k++) {
		target_go(target);
		target_ready(target);
		session_signal(session, SIGUSR1);
		session_await(session, format("profiles %04u written", k));
	}
	target_go(target);
	assert_int_equal(target_finish(target), 0);
	assert_int_equal(session_finish(session), 0);
	index = session_index(session);
	process = index_process(index, variant.name);
	ledger_assert_clean(process);
	for (unsigned int k = 1; k <= RUNS; k++)
		read_files(process, format("/%04u/%d.%.15s", k, pid, variant.name), &variant.text[k - 1],
			   &variant.proto[k - 1]);
	read_files(process, format("%.15s", variant.name), &variant.text[RUNS], &variant.proto[RUNS]);
	cJSON_Delete(index);
}

/* Seen from before its first instruction, as COMMAND. */
static void test_memory_profiler_command(void **state)
{
	struct session *session = &variant.scene->session;
	const char *const args[] = {"-R", "1", "-f", "text,pprof", "--", variant.program, "1", NULL};
	struct text_profile text, proto;
	cJSON *index;

	(void)state;
	assert_int_equal(session_run(session, variant.scene, args), 0);
	index = session_index(session);
	read_files(index_process(index, variant.name), "", &text, &proto);
	check_profile(&text, 1);
	check_profile(&proto, 1);
	text_profile_release(&text);
	text_profile_release(&proto);
	cJSON_Delete(index);
}

static int record_variant(void **state)
{
	(void)state;
	if (scene_setup((void **)&variant.scene))
		return -1;
	record_runs();
	return 0;
}

static int release_variant(void **state)
{
	(void)state;
	for (unsigned int k = 0; k <= RUNS; k++) {
		text_profile_release(&variant.text[k]);
		text_profile_release(&variant.proto[k]);
	}
	return variant.scene ? scene_teardown((void **)&variant.scene) : 0;
}

static int run_variant(const char *compiler, const char *level, const char *frame, const char *link)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_profiler_debug_1),
		cmocka_unit_test(test_memory_profiler_proto),
		cmocka_unit_test(test_memory_profiler_command),
	};

	variant = (struct variant){0};
	snprintf(variant.name, sizeof(variant.name), "%s_%s_%s_%s", compiler, level, frame, link);
	snprintf(variant.program, sizeof(variant.program), "%s", beside(format("mprof/%s", variant.name)));
	return cmocka_run_group_tests_name(variant.name, tests, record_variant, release_variant);
}

int main(void)
{
	static const char *const compilers[] = {"gcc", "clang"}, *const levels[] = {"O0", "O2"},
				 *const frames[] = {"fp", "nofp"}, *const links[] = {"dynamic", "static-pie"};
	int failed = 0;

	for (unsigned int i = 0; i < 16; i++)
		failed += run_variant(compilers[i >> 3 & 1], levels[i >> 2 & 1], frames[i >> 1 & 1], links[i & 1]);
	return failed != 0;
}
