/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that have few cycles of the model collector, at the default interval: what leaks is found in 45 seconds, and
 * what fills, warms up, oscillates or turns over is not called so. The targets (target_growth.cc) go by their own
 * clocks and end by themselves; how fast they are run changes nothing.
 *
 * How often a test fails by chance. A leak of 45 s gives 750 samples, of which 250 are expected in the last third and
 * 0.55 of what those before lead one to expect are enough: their ratio has a standard deviation of 0.09, so it is too low
 * with a probability of 10^-7. What does not leak would need ten samples more that become old than old ones that die.
 * A full cache, an oscillation and a tide have none in the half of the window that counts; of the warm-up's 50 in it one comes in the
 * last third, where 60 are expected; of the sessions 0.3 grow so old, and ten would be too many: 10^-12.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/sites.h"

static const struct law {
	const char *name, *site; /* "": the one with most in use */
	bool grows;
} laws[] = {
	{"service", "remember", true}, {"leak", "leak", true},		{"steps", "step", true},
	{"cache", "entry", false},     {"warmup", "class_data", false}, {"oscillation", "wave", false},
	{"tide", "swell", false},      {"turnover", "session", false},	{"python3", "", true},
};
#define LAWS (sizeof(laws) / sizeof(*laws))

/* A dictionary that is never emptied, 10 MiB/s. */
static const char script[] = "import sys, time, os\n"
			     "start, kept, rows = time.monotonic(), {}, 0\n"
			     "while (now := time.monotonic() - start) < float(sys.argv[1]):\n"
			     "    while rows < now * 100:\n"
			     "        kept[rows] = bytes(100000)\n"
			     "        rows += 1\n"
			     "    time.sleep(0.02)\n"
			     "os._exit(0)\n";

/* Every law and the script, each in a process of its own. */
static void start(const struct scene *scene, struct session *session, const char *seconds)
{
	const char *command = format("/usr/bin/python3 -S -c \"$0\" %s & \"$1\" all %s; wait", seconds, seconds);
	const char *const args[] = {"-f",
				    "json",
				    "--fail-on",
				    "growing",
				    "--follow",
				    "--",
				    "/bin/sh",
				    "-c",
				    command,
				    script,
				    beside("target_growth"),
				    NULL};

	session_start(session, scene, args);
}

/* The long recording, and the short one in its time. */
static int setup(void **state)
{
	struct scene *scene;

	if (scene_setup(state))
		return -1;
	scene = *state;
	start(scene, &scene->session, "45");
	start(scene, &scene->second, "8");
	return 0;
}

/* The verdict on the site whose function has that name. */
static const char *verdict_of(const cJSON *profile, const char *function)
{
	const cJSON *site;

	cJSON_ArrayForEach (site, json_member(profile, "sites"))
		if (strstr(site_function(profile, site), function))
			return site_verdict(site);
	fail_msg("no site %s in:\n%s", function, cJSON_Print(json_member(profile, "sites")));
	return "";
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(json_member(object, name));

	return text ? text : "";
}

/* The site, the whole process, its line of the index and what --fail-on names agree. */
static void check(const struct scene *scene, const cJSON *index, const struct law *law)
{
	cJSON *profile = profile_read(&scene->session, law->name);
	const cJSON *whole = json_member(json_member(profile, "model"), "lifespan");
	const char *site =
		*law->site ? verdict_of(profile, law->site) : site_verdict(site_greatest(profile, "inuse_space"));
	const char *verdicts[] = {site, text_of(whole, "verdict"), text_of(index_process(index, law->name), "verdict")};

	for (unsigned int i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++)
		if (law->grows != !strcmp(verdicts[i], "growing"))
			fail_msg("%s is %s (%u)", law->name, verdicts[i], i);
	assert_true(law->grows == session_said(&scene->session, format(" (%s), ", law->name)));
	assert_true(!law->grows || index_number(profile, "model.cycles") < 40);
	cJSON_Delete(profile);
}

static void test_growth_with_few_cycles_is_found_and_nothing_else(void **state)
{
	struct scene *scene = *state;
	cJSON *index;

	assert_int_equal(session_finish(&scene->session), 5);
	session_assert_said(&scene->session, " in 4 processes grow:");
	index = session_index(&scene->session);
	for (unsigned int i = 0; i < LAWS; i++)
		check(scene, index, &laws[i]);
	cJSON_Delete(index);
}

/* Nothing is known yet of what lives; it is not called steady, and no status is made of it. */
static void test_growth_in_a_short_recording_is_too_early(void **state)
{
	struct scene *scene = *state;
	cJSON *profile;

	assert_int_equal(session_finish(&scene->second), 0);
	profile = profile_read(&scene->second, "leak");
	assert_string_equal(verdict_of(profile, "leak"), "too early");
	cJSON_Delete(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth_in_a_short_recording_is_too_early),
		cmocka_unit_test(test_growth_with_few_cycles_is_found_and_nothing_else),
	};

	return cmocka_run_group_tests_name("growth", tests, setup, scene_teardown);
}
