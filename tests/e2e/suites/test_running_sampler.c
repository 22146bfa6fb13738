/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler is brought into programs that run, and taken out again, with counters of perf at its sites in place of BPF programs: what it
 * samples follows the law, each sample's end is told, and nothing happens to the program. With HEAPTAP_CYCLES=1000 (make stress) that is
 * done so often to each of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/libc_sampler.h"
#include "inline/examination.h"
#include "system/proc_maps.h"

#define TRIES 200

struct scene {
	struct libc_sampler in;
	int counters[SAMPLER_SITES];
};

static void scene_start(struct scene *scene, const char *const *words)
{
	*scene = (struct scene){0};
	libc_sampler_begin(&scene->in, words);
}

static void unload(struct scene *scene)
{
	for (int i = 0; i < SAMPLER_SITES; i++)
		close(scene->counters[i]);
	running_sampler_release(&scene->in.sampler);
}

static void scene_end(struct scene *scene)
{
	libc_sampler_end(&scene->in);
}

static void load(struct scene *scene)
{
	libc_sampler_load(&scene->in);
}

static void start(struct scene *scene)
{
	int tries = TRIES;

	while (!running_sampler_start(&scene->in.sampler) && libc_sampler_is_busy(&scene->in) && --tries)
		usleep(1000);
	assert_string_equal(scene->in.sampler.reason, "");
}

static void stop(struct scene *scene)
{
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && err; i++)
		err = running_sampler_stop(&scene->in.sampler);
	assert_int_equal(err, 0);
}

static void count_sites(struct scene *scene)
{
	struct perf_event_attr event = {.size = sizeof(event)};
	FILE *type = fopen("/sys/bus/event_source/devices/uprobe/type", "re");

	assert_non_null(type);
	assert_int_equal(fscanf(type, "%u", &event.type), 1);
	fclose(type);
	event.config1 = (uintptr_t)format("/proc/self/fd/%d", scene->in.sampler.file);
	for (int i = 0; i < SAMPLER_SITES; i++) {
		event.config2 = scene->in.sampler.sites[i];
		scene->counters[i] = (int)syscall(SYS_perf_event_open, &event, scene->in.injected.target.pid, -1, -1,
						  PERF_FLAG_FD_CLOEXEC);
		assert_true(scene->counters[i] >= 0);
	}
}

static u64 hits(const struct scene *scene, enum sampler_site site)
{
	u64 count;

	assert_int_equal(read(scene->counters[site], &count, sizeof(count)), sizeof(count));
	return count;
}

/* Both |z| at most 6: a false alarm once in 500 million. */
static void test_running_sampler_law(void **state)
{
	static const char *const words[] = {"1", "counted", NULL};
	const double p = -expm1(-(double)PATIENT_BYTES / LIBC_SAMPLER_BYTES), expected = 1e6 * p;
	struct scene scene;
	double born;

	(void)state;
	scene_start(&scene, words);
	load(&scene);
	count_sites(&scene);
	start(&scene);
	scene.in.injected.page->release = 1;
	while (scene.in.injected.page->allocations < 1000000)
		usleep(1000);
	born = (double)hits(&scene, SAMPLER_BORN);
	if (fabs(born - expected) > 6 * sqrt(1e6 * p * (1 - p)))
		fail_msg("%.0f samples, expected %.0f", born, expected);
	assert_int_equal(hits(&scene, SAMPLER_FREED), (u64)born);
	stop(&scene);
	assert_int_equal(code_changes(scene.in.injected.target.pid, "/libc.so.6"), 0);
	unload(&scene);
	scene_end(&scene);
}

static unsigned int mappings(const struct scene *scene)
{
	char line[512];
	unsigned int count = 0;
	FILE *maps = fopen(format("/proc/%d/maps", scene->in.injected.target.pid), "re");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		count += strstr(line, "memfd:heaptap ") != NULL;
	fclose(maps);
	return count;
}

static unsigned int cycles(void)
{
	const char *text = getenv("HEAPTAP_CYCLES");

	return text ? (unsigned int)atoi(text) : 10;
}

/* A program that says nothing for long is taken for one that hangs (tests/run.sh), and a thousand cycles are long. */
static void say_how_many(const char *const *words, unsigned int left)
{
	if (left % 20)
		return;
	printf("%s threads, %s, %s: %u cycles to go\n", words[0], words[1], words[2], left);
	fflush(stdout);
}

static void test_running_sampler_threads(void **state)
{
	static const char *const kinds[][8] = {
		{"4", "mallocs", "state"},
		{"4", "mallocs", "forks", "signals"},
		{"3", "mallocs", "sleeps", "reads"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct scene scene;

		scene_start(&scene, kinds[i]);
		for (unsigned int cycle = cycles(); cycle > 0; cycle--) {
			load(&scene);
			count_sites(&scene);
			start(&scene);
			injected_check(&scene.in.injected);
			stop(&scene);
			injected_check(&scene.in.injected);
			assert_true(hits(&scene, SAMPLER_BORN) > 0 && hits(&scene, SAMPLER_FREED) > 0);
			assert_int_equal(hits(&scene, SAMPLER_MOVED), hits(&scene, SAMPLER_SETTLED));
			assert_int_equal(code_changes(scene.in.injected.target.pid, "/libc.so.6"), 0);
			unload(&scene);
			assert_int_equal(mappings(&scene), 1);
			say_how_many(kinds[i], cycle - 1);
		}
		scene_end(&scene);
	}
}

static void test_running_sampler_of_children(void **state)
{
	static const char *const words[] = {"1", "mallocs", "fork", NULL};
	struct scene scene;

	(void)state;
	scene_start(&scene, words);
	load(&scene);
	start(&scene);
	scene.in.injected.page->release = 1;
	injected_await_held(&scene.in.injected);
	assert_true(code_changes(child_of(scene.in.injected.target.pid), "/libc.so.6") > 0);
	stop(&scene);
	assert_int_equal(code_changes(child_of(scene.in.injected.target.pid), "/libc.so.6"), 0);
	injected_check(&scene.in.injected);
	running_sampler_release(&scene.in.sampler);
	scene_end(&scene);
}

/* The same program at the same addresses: nothing leads there, and nothing is taken out. */
static void test_running_sampler_executed_again(void **state)
{
	static const char *const words[] = {"1", "again", "mallocs", NULL};
	struct scene scene;

	(void)state;
	for (int started = 0; started < 2; started++) {
		scene_start(&scene, words);
		load(&scene);
		if (started)
			start(&scene);
		scene.in.injected.page->release = 1;
		injected_await_held(&scene.in.injected);
		injected_check(&scene.in.injected);
		if (!started) {
			assert_false(running_sampler_start(&scene.in.sampler));
			assert_string_equal(scene.in.sampler.reason, "it executes another program");
		}
		stop(&scene);
		assert_int_equal(code_changes(scene.in.injected.target.pid, "/libc.so.6"), 0);
		injected_check(&scene.in.injected);
		running_sampler_release(&scene.in.sampler);
		scene_end(&scene);
	}
}

static void assert_examined(const struct scene *scene, const char *expected)
{
	char reason[SAMPLER_REASON_MAX];

	assert_int_equal(examination_make(scene->in.injected.target.pid, &scene->in.mapping, scene->in.elf,
					  &scene->in.plan, reason),
			 0);
	assert_string_equal(reason, expected);
}

static void test_running_sampler_examined(void **state)
{
	static const char *const words[] = {"2", "mallocs", "state", NULL};
	struct scene scene;
	pid_t pid;

	(void)state;
	scene_start(&scene, words);
	pid = scene.in.injected.target.pid;
	assert_examined(&scene, "");
	load(&scene);
	start(&scene);
	assert_examined(&scene, "another heaptap samples it");
	/* As a killed heaptap would leave it. */
	running_sampler_release(&scene.in.sampler);
	assert_examined(&scene, "");
	load(&scene);
	assert_true(scene.in.sampler.adopted);
	start(&scene);
	stop(&scene);
	running_sampler_release(&scene.in.sampler);
	assert_examined(&scene, "");
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	assert_examined(&scene, "it may not be traced, or a debugger has it");
	scene_end(&scene);
}

/* --- heaptap was killed, or is there already ------------------------------------------------------------------------------- */

static void test_running_sampler_is_taken_over(void **state)
{
	static const char *const words[] = {"3", "mallocs", "state", NULL};
	struct scene scene;

	(void)state;
	scene_start(&scene, words);
	load(&scene);
	assert_false(scene.in.sampler.adopted);
	start(&scene);
	injected_check(&scene.in.injected);
	/* As the kernel does at heaptap's end: the jumps stay. */
	running_sampler_release(&scene.in.sampler);
	injected_check(&scene.in.injected);
	assert_true(code_changes(scene.in.injected.target.pid, "/libc.so.6") > 0);
	load(&scene);
	assert_true(scene.in.sampler.adopted);
	assert_int_equal(mappings(&scene), 1);
	assert_int_equal(code_changes(scene.in.injected.target.pid, "/libc.so.6"), 0);
	count_sites(&scene);
	start(&scene);
	injected_check(&scene.in.injected);
	assert_true(hits(&scene, SAMPLER_BORN) > 0 && hits(&scene, SAMPLER_FREED) > 0);
	stop(&scene);
	assert_int_equal(code_changes(scene.in.injected.target.pid, "/libc.so.6"), 0);
	unload(&scene);
	scene_end(&scene);
}

/* The process has one already. */
static void refuses_second(const struct scene *scene, const char *reason)
{
	const struct sampler_settings settings = {.sample_bytes = LIBC_SAMPLER_BYTES, .memory_bytes = 1 << 30};
	struct running_sampler second;

	assert_int_equal(running_sampler_load(scene->in.injected.target.pid, &scene->in.mapping, scene->in.elf,
					      &scene->in.plan, &settings, &second),
			 0);
	assert_string_equal(second.reason, reason);
	running_sampler_release(&second);
}

/* CAP_SYS_ADMIN includes it. */
static void may_open_mapped_files(bool may)
{
	const u32 low = 1U << CAP_SYS_ADMIN, high = 1U << (CAP_CHECKPOINT_RESTORE - 32);
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	assert_int_equal(syscall(SYS_capget, &header, sets), 0);
	sets[0].effective = may ? sets[0].effective | (sets[0].permitted & low) : sets[0].effective & ~low;
	sets[1].effective = may ? sets[1].effective | (sets[1].permitted & high) : sets[1].effective & ~high;
	assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

/* Nothing is brought in beside it, as the functions lead there already. */
static void test_running_sampler_that_may_not_be_opened(void **state)
{
	static const char denied[] = "another heaptap's sampler is there, and to open it takes CAP_CHECKPOINT_RESTORE";
	static const char *const words[] = {"2", "mallocs", "state", NULL};
	struct scene scene;

	(void)state;
	scene_start(&scene, words);
	load(&scene);
	start(&scene);
	running_sampler_release(&scene.in.sampler);
	may_open_mapped_files(false);
	refuses_second(&scene, denied);
	assert_int_equal(mappings(&scene), 1);
	assert_examined(&scene, denied);
	may_open_mapped_files(true);
	load(&scene);
	assert_true(scene.in.sampler.adopted);
	stop(&scene);
	running_sampler_release(&scene.in.sampler);
	scene_end(&scene);
}

static void test_running_sampler_of_another_heaptap(void **state)
{
	static const char *const words[] = {"1", "mallocs", NULL};
	struct scene scene;

	(void)state;
	scene_start(&scene, words);
	load(&scene);
	count_sites(&scene);
	start(&scene);
	refuses_second(&scene, "another heaptap samples it");
	injected_check(&scene.in.injected);
	assert_true(hits(&scene, SAMPLER_BORN) > 0);
	stop(&scene);
	unload(&scene);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running_sampler_law),
		cmocka_unit_test(test_running_sampler_threads),
		cmocka_unit_test(test_running_sampler_of_children),
		cmocka_unit_test(test_running_sampler_executed_again),
		cmocka_unit_test(test_running_sampler_examined),
		cmocka_unit_test(test_running_sampler_is_taken_over),
		cmocka_unit_test(test_running_sampler_that_may_not_be_opened),
		cmocka_unit_test(test_running_sampler_of_another_heaptap),
	};

	return cmocka_run_group_tests_name("running_sampler", tests, NULL, NULL);
}
