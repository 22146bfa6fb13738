/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --resident: of a thousand objects that are written to, zeroed, touched in part or left alone, the shares that cost memory, and of 60 that
 * are in swap in part. All are so large that each is sampled (32 intervals: one of them is missed once in 10^10 runs), so that only what is
 * read of their contents is a choice: and it is the same wherever in the object.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/session.h"

#define TABLE "\nResident memory of live objects by site"

/* A row of report's table, in per cent of what is in use. */
struct shares {
	double resident, swapped, untouched, zero; /* zero -1: nothing was read */
	int samples;
};

static struct shares shares_of(const char *report, const char *site)
{
	const char *table = strstr(report, TABLE),
		   *row = table ? strstr(table, format("  %s  target_resident.c", site)) : NULL;
	char zero[16] = "";
	struct shares shares = {0};

	if (!row)
		fail_msg("no %s in:\n%s", site, report);
	while (row[-1] != '\n')
		row--;
	/* "   100.0 MiB   25.0 MiB    25.0%     0.0%     75.0%     0.0%       100  sparse ..." */
	if (sscanf(row, "%*s %*s %*s %*s %lf%% %lf%% %lf%% %15s %d", &shares.resident, &shares.swapped,
		   &shares.untouched, zero, &shares.samples) != 5)
		fail_msg("not a row: %s", row);
	shares.zero = strcmp(zero, "-") ? strtod(zero, NULL) : -1;
	return shares;
}

static void check(const char *report, const char *site, struct shares wanted)
{
	struct shares shares = shares_of(report, site);
	double margin = 0.5;

	/* The allocator's own words are in the first page of each object. */
	if (shares.resident < wanted.resident - margin || shares.resident > wanted.resident + margin ||
	    shares.swapped < wanted.swapped - margin || shares.swapped > wanted.swapped + margin ||
	    shares.untouched < wanted.untouched - margin || shares.untouched > wanted.untouched + margin ||
	    shares.zero < wanted.zero - margin || shares.zero > wanted.zero + margin ||
	    (wanted.samples && shares.samples != wanted.samples))
		fail_msg("%s: %.1f %.1f %.1f %.1f of %d in:\n%s", site, shares.resident, shares.swapped,
			 shares.untouched, shares.zero, shares.samples, report);
}

static void allocate(struct scene *scene)
{
	char done;

	target_go(&scene->target);
	assert_int_equal(read(scene->target.out, &done, 1), 1);
	assert_int_equal(done, 'd');
}

static void start(struct scene *scene, const char *more)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_resident"), more, NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "32K", "--resident", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	allocate(scene);
}

static void check_report(char *report)
{
	check(report, "written", (struct shares){100, 0, 0, 0, 100});
	check(report, "zeroed", (struct shares){100, 0, 0, 100, 50});
	check(report, "sparse", (struct shares){25, 0, 75, 0, 100});
	check(report, "untouched", (struct shares){0.4, 0, 99.6, -1, 750});
	check(report, "small", (struct shares){100, 0, 0, 0, 0});
	free(report);
}

static void test_resident_shares_are_those_that_were_touched(void **state)
{
	struct scene *scene = *state;

	start(scene, NULL);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	check_report(session_report(&scene->session, ""));
}

/* A profile of the time when it lived says it, the last one cannot. */
static void test_resident_of_a_process_that_has_ended(void **state)
{
	struct scene *scene = *state;
	const char *output = scene->session.output;
	char *report;

	start(scene, NULL);
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	close(scene->target.in);
	scene->target.in = -1;
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	session_assert_said(&scene->session, "it has ended; --interval and --trigger look while processes live");
	report = session_report(&scene->session, "");
	assert_null(strstr(report, TABLE));
	free(report);
	snprintf(scene->session.output, sizeof(scene->session.output), "%s", format("%s/snapshots/0001", output));
	check_report(session_report(&scene->session, ""));
}

/* --- swap --- */

#define SWAP_BYTES (32 << 20)

/* Beside the programs: what is temporary may be in memory, which the kernel swaps nothing to. */
static char swap_file[4096];

/* False: nothing can be swapped out to a file there. */
static bool swap_begin(void)
{
	snprintf(swap_file, sizeof(swap_file), "%s", beside(format("swap-%d", getpid())));
	return !system(format(
		       "head -c %d /dev/zero >'%s' && chmod 600 '%s' && PATH=$PATH:/usr/sbin:/sbin mkswap -q '%s'",
		       SWAP_BYTES, swap_file, swap_file, swap_file)) &&
	       !swapon(swap_file, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK);
}

/* Once the target, which has pages there, is gone. */
static int swap_teardown(void **state)
{
	int error = scene_teardown(state);

	swapoff(swap_file);
	unlink(swap_file);
	return error;
}

static unsigned long swapped_kb(pid_t pid)
{
	FILE *file = fopen(format("/proc/%d/status", pid), "re");
	unsigned long kb = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmSwap: %lu", &kb) == 1)
			break;
	fclose(file);
	return kb;
}

/*
 * Nothing is brought back for being looked at. On a machine that has no file for swap there is nothing to see. The kernel may swap out more of
 * the process than it was asked to, if memory is short: then the shares of the others would not be these.
 */
static void test_resident_shares_of_what_is_swapped_out(void **state)
{
	struct scene *scene = *state;
	unsigned long before;
	char *report;
	cJSON *index;

	if (!swap_begin()) {
		print_message("no file for swap can be used here\n");
		skip();
	}
	start(scene, "swap");
	before = swapped_kb(scene->target.pid);
	assert_true(before >= 60 * 256);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(swapped_kb(scene->target.pid), before);
	report = session_report(&scene->session, "");
	check(report, "swapped", (struct shares){75, 25, 0, 0, 60});
	index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "target_resident"), "memory.swap_bytes"), before * 1024);
	cJSON_Delete(index);
	check_report(report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_resident_shares_are_those_that_were_touched),
		TEST(test_resident_of_a_process_that_has_ended),
		cmocka_unit_test_setup_teardown(test_resident_shares_of_what_is_swapped_out, scene_setup,
						swap_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
