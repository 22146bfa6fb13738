/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every allocator, every function it has: `-R 1` equals the program's own count of the same run, and no probe is
 * single-stepped. The rungs below the first have no return leg on C++'s throwing new (it would end the program), so
 * there the program does without; test_new has the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"
#include "e2e/kit/truth.h"

#define ALLOCATOR_FRAMES_MAX 3 /* of functions that call another one instead of jumping to it */
#define SHOWN_MAX	     20
#define MORE		     "MATRIX_MORE=165000"

struct entry {
	const char *name;
	const char *program;
	const char *preload; /* NULL: none */
	const char *family;  /* as doctor calls it */
	const char *stepped; /* functions without an emulated site; NULL: none */
	bool plain;	     /* the sampler cannot be in its file, which keeps probes */
	bool gateless; /* nor be brought in while it runs: it has no instruction by which it could be made to map it */
};

static const struct entry entries[] = {
	{"glibc", "target_matrix", NULL, "glibc in", NULL, false, false},
	{"musl", "target_matrix_musl", NULL, "musl in", NULL, false, false},
	{"jemalloc", "target_matrix", "libjemalloc.so", "jemalloc in", NULL, false, false},
	{"tcmalloc", "target_matrix", "libtcmalloc.so", "tcmalloc in", NULL, false, false},
	{"tcmalloc_minimal", "target_matrix", "libtcmalloc_minimal.so", "tcmalloc in", NULL, false, false},
	{"mimalloc", "target_matrix", "libmimalloc.so", "mimalloc in", "mi_heap_alloc_new", false, false},
	{"static glibc", "target_matrix_glibc_static", NULL, "glibc in", NULL, false, false},
	{"static musl", "target_matrix_musl_static", NULL, "static musl in", NULL, false, true},
	{"static jemalloc", "target_matrix_jemalloc_static", NULL, "jemalloc in", NULL, false, false},
	{"own", "target_matrix", "allocator_own.so", "an allocator of no known family in", NULL, false, false},
	{"calls", "target_matrix", "allocator_calls.so", "an allocator of no known family in", NULL, true, false},
	{"plt", "target_matrix", "allocator_plt.so", "an allocator of no known family in",
	 "_ZnamSt11align_val_t reallocarray _ZnwmSt11align_val_t calloc", true, false},
	{"mixed", "target_matrix", "allocator_mixed.so", "an allocator of no known family in", NULL, true, false},
	{"no sections", "target_matrix", "allocator_bare.so", "an allocator of no known family in", NULL, true, false},
	{"own, with endbr64", "target_matrix", "allocator_own_cet.so", "an allocator of no known family in", NULL,
	 false, false},
	{"calls, with endbr64", "target_matrix", "allocator_calls_cet.so", "an allocator of no known family in", NULL,
	 true, false},
	{"plt, with endbr64", "target_matrix", "allocator_plt_cet.so", "an allocator of no known family in",
	 "_ZnamSt11align_val_t reallocarray _ZnwmSt11align_val_t calloc", true, false},
};

/* The stand-ins are in no directory of the loader's. */
static const char *preload(const struct entry *entry)
{
	return format("LD_PRELOAD=%s",
		      strncmp(entry->preload, "allocator_", 10) ? entry->preload : beside(entry->preload));
}

/* What the program's own calls come to: the caller is that of the frame in which the program counts. */
static void own_tally(const struct text_profile *profile, const struct truth_header *header, struct tally *ret_tally)
{
	struct tally tally = {0};

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];

		for (unsigned int j = 0; j < ALLOCATOR_FRAMES_MAX && j + 1 < record->pc_count; j++) {
			if (record->pc[j] < header->shim_start || record->pc[j] >= header->shim_end)
				continue;
			if (record->alloc_objects)
				tally_add(&tally, record->pc[j + 1], record->alloc_bytes / record->alloc_objects,
					  record->alloc_objects, record->inuse_objects);
			break;
		}
	}
	tally_merge(&tally);
	*ret_tally = tally;
}

/* A sampler hardly ever takes what asks for nothing. */
static void drop_empty(struct tally *tally)
{
	size_t kept = 0;

	for (size_t i = 0; i < tally->count; i++)
		if (tally->rows[i].size)
			tally->rows[kept++] = tally->rows[i];
	tally->count = kept;
}

static void compare(struct scene *scene, const struct entry *entry, const struct truth *truth, pid_t pid, bool sampled)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, entry->program);
	struct tally expected, profile;
	struct text_profile text;
	size_t differences;

	assert_int_equal(truth_tally(truth, 0, pid, &expected), 0);
	assert_true(expected.count > 100);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	own_tally(&text, truth->header, &profile);
	if (sampled) {
		drop_empty(&expected);
		drop_empty(&profile);
	}
	differences = tally_difference(&expected, &profile, SHOWN_MAX, stderr);
	if (differences)
		fail_msg("%s: %zu of %zu sites differ from the truth; heaptap said:\n%s%s", entry->name, differences,
			 expected.count, scene->session.words, cJSON_Print(process));
	ledger_assert_clean(process);
	text_profile_release(&text);
	tally_release(&expected);
	tally_release(&profile);
	cJSON_Delete(index);
}

/* `more`: for a sampler. */
static void start(struct scene *scene, struct child *target, const struct entry *entry, const char *argument, bool more)
{
	const char *const environment[] = {
		format("%s=%s", TRUTH_VARIABLE, scene->truth),
		more ? MORE : "MATRIX_MORE=0",
		entry->preload ? preload(entry) : "LD_BIND_NOW=1",
		NULL,
	};

	target_start(target, environment, (const char *const[]){beside(entry->program), argument, NULL});
	target_ready(target);
}

static void check_attached(struct scene *scene, const struct entry *entry, const char *rung)
{
	struct truth truth = {0};
	pid_t pid;

	start(scene, &scene->target, entry, rung ? "no-new" : NULL, false);
	pid = scene->target.pid;
	scene->session.environment[0] = rung ? format("HEAPTAP_ATTACH=%s", rung) : NULL;
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(truth_open(scene->truth, pid, &truth), 0);
	compare(scene, entry, &truth, pid, false);
	truth_close(&truth);
}

/* What is preloaded stands in front of heaptap too, which does not mind. */
static void check_command(struct scene *scene, const struct entry *entry)
{
	const char **environment = scene->session.environment;
	struct truth truth = {0};
	cJSON *index;
	pid_t pid;

	environment[0] = format("%s=%s", TRUTH_VARIABLE, scene->truth);
	environment[1] = "LD_BIND_NOW=1";
	environment[2] = entry->preload ? preload(entry) : NULL;
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "-f", "text,pprof", "--", beside(entry->program), NULL}),
		0);
	index = session_index(&scene->session);
	pid = (pid_t)index_number(index_process(index, entry->program), "pid");
	cJSON_Delete(index);
	assert_int_equal(truth_open(scene->truth, pid, &truth), 0);
	compare(scene, entry, &truth, pid, false);
	truth_close(&truth);
}

/*
 * By the sampler in the process. A call that asks for 40 times the interval is missed once in 10^17: of thousands of calls all are
 * taken, so the profile must be exact.
 */
static void check_inline(struct scene *scene, const struct entry *entry)
{
	const char **environment = scene->session.environment;
	struct truth truth = {0};
	const cJSON *process;
	cJSON *index;
	pid_t pid;

	environment[0] = format("%s=%s", TRUTH_VARIABLE, scene->truth);
	environment[1] = MORE;
	environment[2] = entry->preload ? preload(entry) : NULL;
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "-f", "text,pprof", "--",
							   beside(entry->program), NULL}),
			 0);
	index = session_index(&scene->session);
	process = index_process(index, entry->program);
	pid = (pid_t)index_number(process, "pid");
	assert_int_equal(index_number(process, "ledger.inline"),
			 entry->plain ? 0 : index_number(process, "ledger.sampled"));
	assert_int_equal(session_said(&scene->session, "keeps probes"), entry->plain);
	cJSON_Delete(index);
	assert_int_equal(truth_open(scene->truth, pid, &truth), 0);
	compare(scene, entry, &truth, pid, true);
	truth_close(&truth);
}

/* The same, brought into the program while it runs. */
static void check_injected(struct scene *scene, const struct entry *entry)
{
	struct truth truth = {0};
	const cJSON *process;
	cJSON *index;
	pid_t pid;

	start(scene, &scene->target, entry, NULL, true);
	pid = scene->target.pid;
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "4096", "--inline", "-f", "text,pprof", "-p", format("%d", pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	if (session_said(&scene->session, "keeps probes") != entry->gateless)
		fail_msg("%s: %s", entry->name, scene->session.words);
	index = session_index(&scene->session);
	process = index_process(index, entry->program);
	assert_int_equal(index_number(process, "ledger.inline"),
			 entry->gateless ? 0 : index_number(process, "ledger.sampled"));
	cJSON_Delete(index);
	assert_int_equal(truth_open(scene->truth, pid, &truth), 0);
	compare(scene, entry, &truth, pid, true);
	truth_close(&truth);
}

/*
 * The same, while another heaptap has return probes in its allocator's functions, as another process has the file too. They come
 * before the jumps to the sampler, so that the callers' addresses are hidden from it.
 */
static void check_injected_beside(struct scene *scene, const struct entry *entry)
{
	struct child *other = &scene->more[0];

	start(scene, other, entry, NULL, false);
	scene->second.environment[0] = "HEAPTAP_ATTACH=multi";
	session_start(&scene->second, scene,
		      (const char *const[]){"-R", "1", "--follow", "-f", "text", "-p", format("%d", other->pid), NULL});
	session_attached(&scene->second);
	check_injected(scene, entry);
	target_go(other);
	assert_int_equal(target_finish(other), 0);
	assert_int_equal(session_finish(&scene->second), 0);
}

static void check_doctor(struct scene *scene, const struct entry *entry)
{
	char *text = NULL, *stepped;
	size_t size = 0;
	FILE *pipe;

	start(scene, &scene->target, entry, NULL, false);
	pipe = popen(format("'%s' doctor -p %d 2>&1", heaptap_path(), scene->target.pid), "re");
	if (!pipe || getdelim(&text, &size, '\0', pipe) < 0 || pclose(pipe))
		fail_msg("%s: doctor failed:\n%s", entry->name, text ? text : "");
	stepped = strstr(text, "single-stepped, several times dearer: ");
	if (!strstr(text, entry->family) || !stepped != !entry->stepped ||
	    (stepped && strncmp(strchr(stepped, ':') + 2, format("%s\n", entry->stepped), strlen(entry->stepped) + 1)))
		fail_msg("%s: doctor says:\n%s", entry->name, text);
	free(text);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

#define ENTRY(number, name)                                                                                            \
	static void test_command_##name##_equals_its_own_count(void **state)                                           \
	{                                                                                                              \
		check_command(*state, &entries[number]);                                                               \
	}                                                                                                              \
	static void test_inline_##name##_equals_its_own_count(void **state)                                            \
	{                                                                                                              \
		check_inline(*state, &entries[number]);                                                                \
	}                                                                                                              \
	static void test_attach_##name##_equals_its_own_count(void **state)                                            \
	{                                                                                                              \
		check_attached(*state, &entries[number], NULL);                                                        \
	}                                                                                                              \
	static void test_attach_##name##_by_multi_equals_its_own_count(void **state)                                   \
	{                                                                                                              \
		check_attached(*state, &entries[number], "multi");                                                     \
	}                                                                                                              \
	static void test_attach_##name##_by_perf_equals_its_own_count(void **state)                                    \
	{                                                                                                              \
		check_attached(*state, &entries[number], "perf");                                                      \
	}                                                                                                              \
	static void test_doctor_##name##_has_emulated_sites_only(void **state)                                         \
	{                                                                                                              \
		check_doctor(*state, &entries[number]);                                                                \
	}
#define RUNNING(number, name)                                                                                          \
	static void test_injected_##name##_equals_its_own_count(void **state)                                          \
	{                                                                                                              \
		check_injected(*state, &entries[number]);                                                              \
	}
#define BESIDE(number, name)                                                                                           \
	static void test_injected_##name##_beside_return_probes(void **state)                                          \
	{                                                                                                              \
		check_injected_beside(*state, &entries[number]);                                                       \
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
#define TESTS(name)                                                                                                    \
	TEST(test_attach_##name##_by_multi_equals_its_own_count),                                                      \
		TEST(test_attach_##name##_by_perf_equals_its_own_count),                                               \
		TEST(test_command_##name##_equals_its_own_count), TEST(test_attach_##name##_equals_its_own_count),     \
		TEST(test_inline_##name##_equals_its_own_count), TEST(test_doctor_##name##_has_emulated_sites_only)

ENTRY(0, glibc)
ENTRY(1, musl)
ENTRY(2, jemalloc)
ENTRY(3, tcmalloc)
ENTRY(4, tcmalloc_minimal)
ENTRY(5, mimalloc)
ENTRY(6, static_glibc)
ENTRY(7, static_musl)
ENTRY(8, static_jemalloc)
ENTRY(9, own)
ENTRY(10, calls)
ENTRY(11, plt)
ENTRY(12, mixed)
ENTRY(13, no_sections)
ENTRY(14, own_cet)
ENTRY(15, calls_cet)
ENTRY(16, plt_cet)

RUNNING(1, musl)
RUNNING(2, jemalloc)
RUNNING(3, tcmalloc)
RUNNING(4, tcmalloc_minimal)
RUNNING(5, mimalloc)
RUNNING(7, static_musl)
RUNNING(8, static_jemalloc)
RUNNING(9, own)
RUNNING(14, own_cet)

BESIDE(0, glibc)
BESIDE(3, tcmalloc)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(glibc),
		TESTS(musl),
		TESTS(jemalloc),
		TESTS(tcmalloc),
		TESTS(tcmalloc_minimal),
		TESTS(mimalloc),
		TESTS(static_glibc),
		TESTS(static_musl),
		TESTS(static_jemalloc),
		TESTS(own),
		TESTS(calls),
		TESTS(plt),
		TESTS(mixed),
		TESTS(no_sections),
		TESTS(own_cet),
		TESTS(calls_cet),
		TESTS(plt_cet),
		TEST(test_injected_musl_equals_its_own_count),
		TEST(test_injected_jemalloc_equals_its_own_count),
		TEST(test_injected_tcmalloc_equals_its_own_count),
		TEST(test_injected_tcmalloc_minimal_equals_its_own_count),
		TEST(test_injected_mimalloc_equals_its_own_count),
		TEST(test_injected_static_musl_equals_its_own_count),
		TEST(test_injected_static_jemalloc_equals_its_own_count),
		TEST(test_injected_own_equals_its_own_count),
		TEST(test_injected_own_cet_equals_its_own_count),
		TEST(test_injected_glibc_beside_return_probes),
		TEST(test_injected_tcmalloc_beside_return_probes),
	};

	return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
