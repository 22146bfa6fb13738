/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline together with what else there is: allocators that keep probes beside one that is sampled inside, one that is opened
 * later, ways of attaching, other options, programs that are not to be changed. Blocks of 40 intervals and more are missed once in
 * 10^17, so their counts are exact.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "e2e/kit/dialogue.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/recording.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define MORE 165000 /* by which all sizes of target_several are larger */
#define POOL "target_several:pool_get(size=2)=ret,pool_put(ptr=2)"

static const cJSON *process_of(struct scene *scene, const char *comm, cJSON **ret_index)
{
	*ret_index = session_index(&scene->session);
	return index_process(*ret_index, comm);
}

/* --- several allocators in one process --- */

static void assert_objects(const struct scene *scene, uint64_t size)
{
	struct tally_row row = recording_objects(scene, "target_several", size + MORE);

	if (row.allocated != 20 || row.in_use != 5)
		fail_msg("of size %lu: %lu allocated, %lu in use", (unsigned long)size + MORE,
			 (unsigned long)row.allocated, (unsigned long)row.in_use);
}

/* Start heaptap, whose COMMAND is `ret_peer`: its streams are the other ends of heaptap's. */
static void start_connected(struct scene *scene, struct dialogue *dialogue, struct child *ret_peer,
			    const char *const *args)
{
	dialogue_open(dialogue, scene->dir);
	*ret_peer = (struct child){.in = dialogue->in, .out = dialogue->out};
	scene->session.wrapper = (const char *const[]){
		"/bin/sh", "-c", format("exec \"$@\" <%s/in >%s/out", scene->dir, scene->dir), "sh", NULL};
	session_start(&scene->session, scene, args);
}

/* The target waits before and after it opens mimalloc, so that this is known before it is used. */
static void play_several(struct scene *scene, const char *rung)
{
	struct dialogue dialogue;
	struct child peer;

	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	start_connected(scene, &dialogue, &peer,
			(const char *const[]){"-R", "4096", "--inline", "-f", "text,pprof", "--alloc", POOL, "--",
					      beside("target_several"), format("%d", MORE), NULL});
	target_ready(&peer);
	target_go(&peer);
	target_ready(&peer);
	session_await(&scene->session, "its allocations are seen from now on");
	target_go(&peer);
	assert_int_equal(session_finish(&scene->session), 0);
	dialogue_close(&dialogue);
}

static void check_several(struct scene *scene, const char *rung)
{
	static const uint64_t sizes[] = {7001, 7003, 7005, 7006, 7007};
	const cJSON *process;
	cJSON *index;

	play_several(scene, rung);
	session_assert_said(&scene->session, "libmimalloc");
	process = process_of(scene, "target_several", &index);
	ledger_assert_clean(process);
	/* glibc's 20 at least; mimalloc's 20 are the probes'. */
	assert_in_range(index_number(process, "ledger.inline"), 20, index_number(process, "ledger.sampled") - 20);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		assert_objects(scene, sizes[i]);
	cJSON_Delete(index);
}

static void test_inline_beside_probes_by_session(void **state)
{
	check_several(*state, "session");
}

static void test_inline_beside_probes_by_multi(void **state)
{
	check_several(*state, "multi");
}

static void test_inline_beside_probes_by_perf(void **state)
{
	check_several(*state, "perf");
}

/* --- options --- */

/* Blocks of 165000 bytes and more, so all of them: 100 allocated at each of these sites, and freed. */
static void record_scene(struct scene *scene, const char *option)
{
	scene->session.environment[0] = "SCENES_MORE=165000";
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", option, "-f", "text,pprof", "--",
							   beside("target_unwind_scenes"), "vfork", NULL}),
			 7);
}

static void test_inline_alloc_only_leaves_the_ends_out(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	record_scene(scene, "--alloc-only");
	process = process_of(scene, "target_unwind_scenes", &index);
	assert_int_equal(index_number(process, "ledger.hits_free"), 0);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	assert_int_equal(recording_objects(scene, "target_unwind_scenes", 165007).allocated, 100);
	assert_int_equal(recording_objects(scene, "target_unwind_scenes", 165007).in_use, 0);
	cJSON_Delete(index);
}

static const struct text_record *record_of_size(const struct text_profile *text, uint64_t size)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->records[i].alloc_objects && text->records[i].frame_count > 1 &&
		    text->records[i].alloc_bytes == size * text->records[i].alloc_objects)
			return &text->records[i];
	fail_msg("no stack with that size");
	return NULL;
}

static void test_inline_show_allocator_shows_it(void **state)
{
	struct scene *scene = *state;
	const struct text_record *record;
	struct text_profile text;
	const cJSON *process;
	cJSON *index;

	record_scene(scene, "--show-allocator");
	process = process_of(scene, "target_unwind_scenes", &index);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	record = record_of_size(&text, 165007);
	assert_non_null(strstr(record->frames[0].function, "malloc"));
	assert_string_equal(record->frames[1].function, "allocate");
	text_profile_release(&text);
	cJSON_Delete(index);
}

/* The shell, whose name it is not, maps the same file and is not counted. */
static void test_inline_comm_counts_the_named_alone(void **state)
{
	struct scene *scene = *state;
	const cJSON *process, *processes;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "--follow", "--comm",
							   "target_leak", "-f", "text,pprof", "--", "/bin/sh", "-c",
							   format("%s malloc; %s none; :", beside("target_leak"),
								  beside("target_litter")),
							   NULL}),
			 0);
	process = process_of(scene, "target_leak", &index);
	assert_true(index_number(process, "ledger.inline") > 80);
	processes = cJSON_GetObjectItem(index, "processes");
	cJSON_ArrayForEach (process, processes) {
		assert_string_equal(cJSON_GetObjectItem(process, "comm")->valuestring, "target_leak");
	}
	cJSON_Delete(index);
}

/* A profile that is asked for while it runs knows the string that there is, and the last one the lot. */
static void test_inline_profile_while_the_program_runs(void **state)
{
	static const char script[] = "my $n = 300000; my $text = 'a' x $n; syswrite STDOUT, 'r'; sysread STDIN, $n, 1";
	struct scene *scene = *state;
	struct dialogue dialogue;
	struct text_profile text;
	const cJSON *process;
	struct child peer;
	cJSON *index;

	start_connected(scene, &dialogue, &peer,
			(const char *const[]){"-R", "4096", "--inline", "-f", "text", "--", "/usr/bin/perl", "-e",
					      script, NULL});
	target_ready(&peer);
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	target_go(&peer);
	assert_int_equal(session_finish(&scene->session), 0);
	dialogue_close(&dialogue);
	process = process_of(scene, "perl", &index);
	ledger_assert_clean(process);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	assert_int_equal(text_profile_read(format("%s/snapshots/0001/%d.perl.txt", scene->session.output,
						  (int)index_number(process, "pid")),
					   &text),
			 0);
	assert_true(text.inuse_bytes >= 300000);
	assert_true(text.alloc_bytes <= index_number(process, "alloc_space"));
	text_profile_release(&text);
	cJSON_Delete(index);
}

/* --- programs that are not to be changed --- */

/* Its allocator is libasan's, whose cfree begins with a call. */
static void test_inline_under_address_sanitizer_keeps_probes(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "-f", "text,pprof", "--",
							   beside("target_checked"), "malloc", NULL}),
			 0);
	session_assert_said(&scene->session, "libasan");
	session_assert_said(&scene->session, "keeps probes");
	process = process_of(scene, "target_checked", &index);
	assert_true(index_number(process, "ledger.sampled") > index_number(process, "ledger.inline") + 80);
	cJSON_Delete(index);
}

static void test_inline_command_that_is_valgrind_is_refused(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--inline", "--", "valgrind", "-q", "--tool=none",
							   "/bin/true", NULL}),
			 125);
	session_assert_said(&scene->session, "is valgrind, which would translate");
}

/* --- seccomp filters that kill --- */

static bool kernel_drops(void)
{
	const int droppable = 0x08 | MAP_ANONYMOUS; /* Linux 6.11 */
	void *page = mmap(NULL, 4096, PROT_READ, droppable, -1, 0);

	return page != MAP_FAILED && !munmap(page, 4096);
}

/* What COMMAND executes has it from there: nobody can know before. */
static void test_inline_program_under_a_filter_that_kills_at_madvise(void **state)
{
	struct scene *scene = *state;
	int status = session_run(&scene->session, scene,
				 (const char *const[]){"-R", "4096", "--inline", "--", beside("target_sandbox"),
						       "madvise", beside("target_leak"), "malloc", NULL});

	assert_int_equal(status, kernel_drops() ? 0 : 128 + SIGSYS);
	if (!status) {
		cJSON *index;
		const cJSON *process = process_of(scene, "target_leak", &index);

		assert_true(index_number(process, "ledger.inline") > 80);
		cJSON_Delete(index);
	}
}

/* The filter is heaptap's, and so COMMAND's: a child finds out, and all is left to probes. */
static void test_inline_under_a_filter_that_kills_at_the_sampler(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	scene->session.wrapper = (const char *const[]){beside("target_sandbox"), "wiping", NULL};
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "--", beside("target_leak"),
							   "malloc", NULL}),
			 0);
	session_assert_said(&scene->session, "--inline is left out: a seccomp filter");
	process = process_of(scene, "target_leak", &index);
	assert_int_equal(index_number(process, "ledger.inline"), 0);
	assert_true(index_number(process, "ledger.sampled") > 80);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_beside_probes_by_session),
		TEST(test_inline_beside_probes_by_multi),
		TEST(test_inline_beside_probes_by_perf),
		TEST(test_inline_alloc_only_leaves_the_ends_out),
		TEST(test_inline_show_allocator_shows_it),
		TEST(test_inline_comm_counts_the_named_alone),
		TEST(test_inline_profile_while_the_program_runs),
		TEST(test_inline_under_address_sanitizer_keeps_probes),
		TEST(test_inline_command_that_is_valgrind_is_refused),
		TEST(test_inline_program_under_a_filter_that_kills_at_madvise),
		TEST(test_inline_under_a_filter_that_kills_at_the_sampler),
	};

	return cmocka_run_group_tests_name("inline_company", tests, NULL, NULL);
}
