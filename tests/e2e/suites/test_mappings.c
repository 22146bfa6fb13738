/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --mappings: to the byte what strace says of the same run, for real programs and all of their children; and of a target whose mappings are known,
 * which sites they are shown at, and which are the allocator's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/pprof_client.h"
#include "e2e/kit/served.h"
#include "e2e/kit/session.h"
#include "e2e/kit/strace_log.h"

static const char *const programs[] = {
	"exec python3 -c 'import json, mmap, threading; m = mmap.mmap(-1, 1 << 20); m.resize(3 << 20); "
	"d = [str(i) * 50 for i in range(50000)]; t = [threading.Thread(target=lambda: [bytearray(3 << 20) for _ in range(9)]) "
	"for _ in range(4)]; [x.start() for x in t]; [x.join() for x in t]; json.dumps(d)'",
	"exec perl -e '$s = \"x\" x 9000000; @a = map { $_ x 90 } 1 .. 30000; $t = $s . $s; undef $s'",
	"exec sqlite3 :memory: 'create table t(x); with recursive c(i) as (select 1 union all select i + 1 from c where i < 30000) "
	"insert into t select randomblob(200) from c; select count(distinct x) from t'",
	"cd \"$DIR\" && git init -q repository && cd repository && seq 200000 >file && git add file && "
	"git -c user.name=a -c user.email=a@b commit -qm all && git gc -q",
	"cd \"$DIR\" && printf '#include <stdio.h>\\nint main(void) { return puts(\"x\"); }\\n' >file.c && gcc -O2 -o file file.c",
	"seq 300000 | sort -R --parallel=4 -S 20M | tail -n 1",
	"head -c 9000000 /dev/urandom | xz -1 -T 2 | wc -c",
	"awk 'BEGIN { for (i = 0; i < 200000; i++) a[i] = i \"x\"; print length(a) }'",
	"bash -c 'for i in {1..20000}; do a[$i]=x$i; done; echo ${#a[@]}; (echo child)'",
	"openssl speed -seconds 1 -bytes 1024 sha256 2>&1 | tail -n 1",
	"tar -C /usr/include -cf - . | gzip -1 | wc -c",
};

/* A row of index.json: what its program and its allocator have mapped, together. */
static uint64_t sum_of(const cJSON *process, const char *measure)
{
	return index_number(process, format("mappings.program.%s", measure)) +
	       index_number(process, format("mappings.allocator.%s", measure));
}

static void assert_equals(const cJSON *process, const struct strace_sums *sums)
{
	const char *who = format("%s, pid %d", cJSON_GetObjectItem(process, "comm")->valuestring,
				 (int)index_number(process, "pid"));

	if (sum_of(process, "map_objects") != sums->map_objects || sum_of(process, "map_space") != sums->map_space ||
	    sum_of(process, "mapped_objects") != sums->mapped_objects ||
	    sum_of(process, "mapped_space") != sums->mapped_space)
		fail_msg("%s: mapped %lu B in %lu, left %lu B in %lu; strace has %lu B in %lu, left %lu B in %lu", who,
			 sum_of(process, "map_space"), sum_of(process, "map_objects"), sum_of(process, "mapped_space"),
			 sum_of(process, "mapped_objects"), sums->map_space, sums->map_objects, sums->mapped_space,
			 sums->mapped_objects);
	assert_int_equal(index_number(process, "ledger.mapping_lost"), 0);
}

static bool is_last_image(const cJSON *processes, const cJSON *process)
{
	const cJSON *other;

	cJSON_ArrayForEach (other, processes)
		if (index_number(other, "pid") == index_number(process, "pid") &&
		    index_number(other, "image") > index_number(process, "image"))
			return false;
	return true;
}

/* How many processes agree. */
static int compare(const struct session *session, const char *path)
{
	struct strace_log *log = strace_log_read(path);
	cJSON *index = session_index(session);
	const cJSON *processes = cJSON_GetObjectItem(index, "processes"), *process;
	struct strace_sums sums;
	int compared = 0;

	cJSON_ArrayForEach (process, processes) {
		if (!is_last_image(processes, process) ||
		    !strace_log_sums(log, (pid_t)index_number(process, "pid"), &sums))
			continue;
		assert_equals(process, &sums);
		compared++;
	}
	cJSON_Delete(index);
	strace_log_free(log);
	return compared;
}

static void test_mappings_equal_straces_log(void **state)
{
	struct scene *scene = *state;
	char log[sizeof(scene->dir) + 16];

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		int compared;

		print_message("%s\n", programs[i]);
		snprintf(log, sizeof(log), "%s/log%zu", scene->dir, i);
		session_run(&scene->session, scene,
			    (const char *const[]){"--mappings", "--follow", "-q", "--", "/usr/bin/env",
						  format("DIR=%s", scene->dir), "/usr/bin/strace", "-f", "-qq", "-e",
						  "trace=" STRACE_CALLS, "-e", "signal=none", "-o", log, "/bin/sh",
						  "-c", programs[i], NULL});
		compared = compare(&scene->session, log);
		print_message("%d processes\n", compared);
		assert_true(compared >= 1);
	}
}

/* The row of that site in report's table of mappings, of which only that many bytes are to be seen. */
static void assert_row(const char *report, const char *site, const char *bytes)
{
	const char *table = strstr(report, "\nMappings: "), *row = table ? strstr(table, format("  %s", site)) : NULL;
	char line[512];

	if (!row)
		fail_msg("no %s in:\n%s", site, report);
	while (row[-1] != '\n')
		row--;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(row, "\n"), row);
	if (!strstr(line, format(" %s B", bytes)))
		fail_msg("not %s B: %s", bytes, line);
}

static uint64_t number_of(const cJSON *process, const char *whose, const char *measure)
{
	return index_number(process, format("mappings.%s.%s", whose, measure));
}

/* Whatever the loader maps is the program's as well, so that its own part is checked by sites. */
static void test_mappings_of_a_target_are_at_its_sites(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;
	char *report;

	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"--mappings", "-R", "1", "--", beside("target_mappings"), NULL}),
		0);
	session_assert_said(&scene->session, "mappings: at exit ");
	report = session_report(&scene->session, "-n 100");
	assert_row(report, "map_cache  target_mappings.c", "5 242 880");
	assert_row(report, "cut_out  target_mappings.c", "307 200");
	assert_row(report, "resize  target_mappings.c", "2 097 152");
	assert_row(report, "share  target_mappings.c", "307 200");
	assert_row(report, "replace  target_mappings.c", "81 920");
	assert_row(report, "start_thread  target_mappings.c", "7 340 032");
	index = session_index(&scene->session);
	process = index_process(index, "target_mappings");
	/* 20 MiB and a page, and the heap, which grows some times. */
	assert_in_range(number_of(process, "allocator", "mapped_objects"), 2, 20);
	assert_true(number_of(process, "allocator", "mapped_space") > (20 << 20) + (600 << 10));
	assert_true(number_of(process, "allocator", "mapped_space") < (22 << 20));
	assert_true(index_number(process, "ledger.mapping_partial") >= 2);
	assert_int_equal(index_number(process, "ledger.mapping_lost"), 0);
	cJSON_Delete(index);
	free(report);
}

/* The second is a child of a shell, as the first was: what both have mapped at a site is one row. */
static void test_mappings_of_several_processes_are_merged(void **state)
{
	struct scene *scene = *state;
	char *report;

	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){
				    "--mappings", "--follow", "-R", "1", "--", "/bin/sh", "-c",
				    format("%s; %s", beside("target_mappings"), beside("target_mappings")), NULL}),
		0);
	report = session_report(&scene->session, "-n 100");
	assert_row(report, "map_cache  target_mappings.c", "10 485 760");
	assert_row(report, "start_thread  target_mappings.c", "14 680 064");
	free(report);
}

/* The target has ended: what it had then is served on. */
static void test_mappings_are_served(void **state)
{
	struct scene *scene = *state;
	const char *url =
		http_serve(scene, (const char *const[]){"serve", "-R", "1", "--mappings", "--listen", "127.0.0.1:0",
							"--", beside("target_mappings"), NULL});
	char *top;

	http_await(scene, format("%s/metrics", url), "\nheaptap_ended 1\n");
	served_assert(scene, format("%s/debug/pprof/mappings?debug=1", url), 200, "map_cache");
	top = pprof_top(scene, format("-sample_index=mapped_space '-focus=^map_cache$' %s/debug/pprof/mappings", url));
	assert_words(top, "5MB");
	free(top);
	served_finish(scene);
}

/* Nothing of it without the option. */
static void test_mappings_are_not_recorded_unless_asked_for(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "--", beside("target_mappings"), NULL}),
			 0);
	assert_false(session_said(&scene->session, "mappings:"));
	index = session_index(&scene->session);
	process = index_process(index, "target_mappings");
	assert_null(cJSON_GetObjectItem(process, "mappings"));
	assert_int_equal(index_number(process, "ledger.mapping_calls"), 0);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mappings_equal_straces_log),
		TEST(test_mappings_of_a_target_are_at_its_sites),
		TEST(test_mappings_of_several_processes_are_merged),
		TEST(test_mappings_are_served),
		TEST(test_mappings_are_not_recorded_unless_asked_for),
	};

	return cmocka_run_group_tests_name("mappings", tests, NULL, NULL);
}
