/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Go programs while they run: `serve` and `top` give what the program's own runtime/pprof says at that moment, and programs whose
 * stacks are copied all the time come to no harm by being read.
 */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/units.h"
#include "e2e/kit/pprof_client.h"
#include "e2e/kit/served.h"
#include "e2e/kit/text_profile.h"

#define READINGS 20U

static const char *own_profile(const struct scene *scene)
{
	return format("%s/own.txt", scene->dir);
}

/* It has written its own profile, every allocation being a sample, and waits. */
static void start(struct scene *scene, const char *program)
{
	target_start(&scene->target, NULL, (const char *const[]){beside(program), own_profile(scene), "1", NULL});
	target_ready(&scene->target);
}

static const char *serve(struct scene *scene)
{
	return http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "-p",
						       format("%d", scene->target.pid), NULL});
}

static void write_body(const struct scene *scene, const char *url, const char *path)
{
	struct http_response response;
	FILE *out = fopen(path, "we");

	http_fetch(scene, url, &response);
	assert_int_equal(response.status, 200);
	assert_non_null(out);
	assert_int_equal(fwrite(response.body, 1, response.size, out), response.size);
	assert_int_equal(fclose(out), 0);
	http_release(&response);
}

/* Functions, files and lines of all records together. */
static uint64_t frames_of(const struct text_profile *profile, const char *function)
{
	uint64_t count = 0;

	for (size_t i = 0; i < profile->count; i++)
		for (unsigned int j = 0; j < profile->records[i].frame_count; j++)
			count += !strcmp(profile->records[i].frames[j].function, function);
	return count;
}

static void test_served_profile_is_go_s_own(void **state)
{
	struct scene *scene = *state;
	struct text_profile own, served;
	const char *url;

	start(scene, "go_heap/own_plain");
	url = serve(scene);
	session_assert_said(&scene->session, "its own heap profile is read");
	write_body(scene, format("'%s/pid/%d/debug/pprof/heap?debug=1'", url, scene->target.pid),
		   format("%s/served.txt", scene->dir));
	assert_int_equal(text_profile_read(own_profile(scene), &own), 0);
	assert_int_equal(text_profile_read(format("%s/served.txt", scene->dir), &served), 0);
	assert_true(own.inuse_bytes > 1000000);
	assert_int_equal(served.inuse_bytes, own.inuse_bytes);
	assert_int_equal(served.inuse_objects, own.inuse_objects);
	assert_int_equal(served.alloc_bytes, own.alloc_bytes);
	assert_int_equal(served.alloc_objects, own.alloc_objects);
	assert_true(frames_of(&own, "main.inlinedTwice") > 0);
	assert_int_equal(frames_of(&served, "main.inlinedTwice"), frames_of(&own, "main.inlinedTwice"));
	assert_int_equal(served_metric(scene, url, "heaptap_inuse_bytes"), own.inuse_bytes);
	text_profile_release(&own);
	text_profile_release(&served);
	served_finish(scene);
}

/* It runs already when its shell is attached to, and maps no code any more. */
static void test_served_profile_of_a_child_that_ran_before(void **state)
{
	struct scene *scene = *state;
	const char *command = format("%s %s 1; :", beside("go_heap/own_pie"), own_profile(scene));
	struct text_profile own;
	const char *url;

	target_start(&scene->target, NULL, (const char *const[]){"/bin/sh", "-c", command, NULL});
	target_ready(&scene->target);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "--follow", "-p",
						      format("%d", scene->target.pid), NULL});
	assert_int_equal(text_profile_read(own_profile(scene), &own), 0);
	http_await(scene, format("%s/metrics", url), format("%llu\n", (unsigned long long)own.inuse_bytes));
	text_profile_release(&own);
	served_finish(scene);
}

/* What C has and what Go has are one profile and one line: C's 100 blocks come once heaptap is there. */
static void test_served_profile_of_go_with_c_has_both(void **state)
{
	struct scene *scene = *state;
	struct text_profile own;
	const char *url;
	char *top;

	start(scene, "go_heap/own_cgo");
	url = serve(scene);
	assert_int_equal(text_profile_read(own_profile(scene), &own), 0);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	http_await(scene, format("%s/", url), "1 ended with");
	assert_true(pprof_total(scene, format("%s/debug/pprof/heap", url), "alloc_space", &top) >=
		    own.alloc_bytes + 100 * 2000ULL);
	assert_words(top, "main.callC");
	assert_words(top, "main.mixed");
	free(top);
	text_profile_release(&own);
	served_finish(scene);
}

static void test_top_shows_go_programs(void **state)
{
	struct scene *scene = *state;
	struct text_profile own;
	char *text = NULL;
	size_t room = 0;
	FILE *out;

	start(scene, "go_heap/own_stripped");
	assert_int_equal(text_profile_read(own_profile(scene), &own), 0);
	out = popen(format("cd '%s' && LC_ALL=C.UTF-8 '%s' top --batch -n 1 -p %d 2>&1 </dev/null", scene->dir,
			   heaptap_path(), scene->target.pid),
		    "re");
	assert_non_null(out);
	assert_true(getdelim(&text, &room, '\0', out) > 0);
	assert_int_equal(child_exit_status(pclose(out)), 0);
	assert_words(text, units_bytes((double)own.inuse_bytes).text);
	assert_words(text, "main.persistent");
	free(text);
	text_profile_release(&own);
}

/* The program's goroutines do ten rounds between any two readings, and more meanwhile. */
static void test_goroutines_whose_stacks_are_copied_are_unharmed(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_goroutines"), NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-f", "text", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	for (unsigned int i = 1; i <= READINGS; i++) {
		target_go(&scene->target);
		session_signal(&scene->session, SIGUSR1);
		session_await(&scene->session, format("profiles %04u written", i));
		target_ready(&scene->target);
	}
	close(scene->target.in);
	scene->target.in = -1;
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(
		system(format("grep -q 'main.round' '%s'/snapshots/%04u/*.go.txt", scene->session.output, READINGS)),
		0);
}

/* Has the process that file open? */
static bool has_open(pid_t pid, const char *path)
{
	DIR *directory = opendir(format("/proc/%d/fd", pid));
	struct dirent *entry;
	bool found = false;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		char target[PATH_MAX];
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		target[length > 0 ? length : 0] = '\0';
		found |= !strcmp(target, path);
	}
	closedir(directory);
	return found;
}

static bool memory_is_open(const struct scene *scene)
{
	return has_open(scene->session.child.pid, format("/proc/%d/mem", scene->target.pid));
}

/* Record it until those words are said of it. */
static void record_until(struct scene *scene, const char *words)
{
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, words);
}

static void end(struct scene *scene)
{
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	session_finish(&scene->session);
}

/* A rate that no program has shows that another layout is there: heaptap lets go of the memory, as a machine may have many such programs. C keeps it there. */
static void test_program_that_is_refused_stays_not_open(void **state)
{
	struct scene *scene = *state;

	start(scene, "go_heap/own_cgo");
	record_until(scene, "its own heap profile is read");
	assert_true(memory_is_open(scene));
	end(scene);
	target_start(&scene->target, NULL,
		     (const char *const[]){beside("go_heap/own_cgo"), own_profile(scene), "2199023255552", NULL});
	target_ready(&scene->target);
	record_until(scene, "its own heap profile is not read: what stands there");
	assert_false(memory_is_open(scene));
	end(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_served_profile_is_go_s_own),
		TEST(test_served_profile_of_a_child_that_ran_before),
		TEST(test_served_profile_of_go_with_c_has_both),
		TEST(test_top_shows_go_programs),
		TEST(test_goroutines_whose_stacks_are_copied_are_unharmed),
		TEST(test_program_that_is_refused_stays_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
