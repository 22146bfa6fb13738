/* SPDX-License-Identifier: GPL-2.0-or-later */
/* screen_state.c, rows.c: what keys do, and in what order rows are. */
#include "screen_scene.h"

static u32 pid_at(u32 place)
{
	assert_in_range(place, 0, watch.rows.count - 1);
	return watch.rows.rows[place].process->facts->pid;
}

static int setup(void **state)
{
	scene_setup(state);
	make_processes();
	read_processes(3);
	return 0;
}

/* 77 grows and has most in use, 5 has nothing, 4242 was ended by the OOM killer. */
static void test_state_sorts_by_each_column_both_ways(void **state)
{
	static const struct {
		u32 key, pids[3];
	} rows[] = {
		{0, {77, 4242, 5}},   {'p', {5, 77, 4242}},
		{'p', {4242, 77, 5}}, {'n', {77, 5, 4242}}, /* grower, idle, small */
		{'u', {77, 4242, 5}}, {'u', {5, 4242, 77}},
		{'r', {77, 5, 4242}}, /* of the ended one it is not known: last, both ways */
		{'r', {5, 77, 4242}}, {'l', {4242, 77, 5}},
		{'o', {77, 4242, 5}},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].key)
			press(rows[i].key);
		assert_int_equal(watch.rows.count, 3);
		for (u32 place = 0; place < 3; place++)
			assert_int_equal(pid_at(place), rows[i].pids[place]);
	}
}

/* Sorted by that after so many presses of the key. */
static void assert_sort(u32 key, int times, enum figure figure)
{
	for (int i = 0; i < times; i++)
		press(key);
	assert_int_equal(watch.state.views[LEVEL_PROCESSES].sort, figure);
}

static void test_state_sorts_by_the_column_beside(void **state)
{
	(void)state;
	assert_int_equal(press('<'), REQUEST_NONE); /* it is the first */
	assert_sort('>', 1, FIGURE_INUSE);
	assert_sort('>', 1, FIGURE_RATE); /* there is no baseline that a change could be since */
	assert_sort('>', 20, FIGURE_NAME);
	assert_sort('<', 20, FIGURE_RANK);
}

static void test_state_keeps_the_row_that_was_chosen(void **state)
{
	const struct screen_view *view = &watch.state.views[LEVEL_PROCESSES];

	(void)state;
	press(SCREEN_KEY_DOWN);
	press(SCREEN_KEY_DOWN);
	press(SCREEN_KEY_DOWN); /* there is no further one */
	assert_int_equal(view->place, 2);
	processes[1].samples = processes[0].samples;
	processes[1].sample_count = processes[0].sample_count;
	processes[1].memory_limit = 0;
	processes[1].rss_end_bytes = 5ULL << 30; /* now it comes first */
	read_processes(3);
	free(scene_text(80, 24, DISPLAY_UTF8));
	assert_int_equal(pid_at(view->place), 5);
	assert_int_equal(view->place, 0);
	read_processes(1); /* gone: its neighbour */
	free(scene_text(80, 24, DISPLAY_UTF8));
	assert_int_equal(view->place, 0);
	assert_int_equal(pid_at(view->place), 77);
	press(SCREEN_KEY_END);
	press(SCREEN_KEY_PAGE_UP);
	press(SCREEN_KEY_PAGE_DOWN);
	press(SCREEN_KEY_HOME);
	assert_int_equal(view->place, 0);
}

static void test_state_filters_by_name_pid_and_container(void **state)
{
	(void)state;
	type("/GROW");
	assert_int_equal(watch.rows.count, 1);
	assert_int_equal(pid_at(0), 77);
	assert_shows("filter 'GROW' hides 2");
	assert_shows("\n/GROW");
	press(0x15);
	assert_int_equal(watch.rows.count, 3);
	type("424");
	assert_int_equal(pid_at(0), 4242);
	press(SCREEN_KEY_BACKSPACE);
	type("3");
	assert_int_equal(watch.rows.count, 0);
	assert_shows("nothing has the filter's text in it");
	press(SCREEN_KEY_ESCAPE);
	type("/web");
	press(SCREEN_KEY_ENTER); /* q is a key again, not a letter */
	assert_int_equal(watch.rows.count, 1);
	assert_int_equal(pid_at(0), 5);
	assert_int_equal(press(SCREEN_KEY_ESCAPE), REQUEST_ROWS);
	assert_int_equal(watch.rows.count, 3);
	assert_int_equal(press('q'), REQUEST_QUIT);
}

static void test_state_takes_any_character_into_a_filter(void **state)
{
	const char *filter = watch.state.views[LEVEL_PROCESSES].filter;

	(void)state;
	type("/");
	press(0xe9);
	press(0x65e5);
	press(0x1f4a9);
	press(0x9b); /* controls a terminal */
	press(1);
	assert_string_equal(filter, "\xc3\xa9\xe6\x97\xa5\xf0\x9f\x92\xa9");
	press(SCREEN_KEY_BACKSPACE);
	assert_string_equal(filter, "\xc3\xa9\xe6\x97\xa5");
	for (int i = 0; i < 2 * FILTER_SIZE; i++)
		press(0x65e5);
	assert_in_range(strlen(filter), FILTER_SIZE - 4, FILTER_SIZE - 1);
	for (int i = 0; i < 2 * FILTER_SIZE; i++)
		press(SCREEN_KEY_BACKSPACE);
	assert_string_equal(filter, "");
}

static void test_state_goes_down_and_back(void **state)
{
	(void)state;
	assert_int_equal(press(SCREEN_KEY_ENTER), REQUEST_READ);
	assert_int_equal(watch.state.level, LEVEL_SITES);
	assert_shows("waiting for its profile");
	read_processes(3);
	assert_shows("make_node");
	type("/vdso");
	press(SCREEN_KEY_ENTER);
	assert_int_equal(watch.rows.count, 1);
	assert_int_equal(press(SCREEN_KEY_RIGHT), REQUEST_ROWS);
	assert_shows("stack of its heaviest sample");
	assert_shows("    > [vdso]+");
	assert_int_equal(press(SCREEN_KEY_ENTER), REQUEST_NONE);
	press(SCREEN_KEY_LEFT);
	assert_int_equal(watch.rows.count, 1); /* its filter is still there */
	press(SCREEN_KEY_ESCAPE);
	press(SCREEN_KEY_ESCAPE);
	assert_int_equal(watch.state.level, LEVEL_PROCESSES);
	press(SCREEN_KEY_ESCAPE);
	assert_int_equal(watch.state.level, LEVEL_PROCESSES);
	assert_shows("in 2 processes");
}

static void test_state_scrolls_a_stack_to_its_end(void **state)
{
	char *text;

	(void)state;
	press(SCREEN_KEY_ENTER);
	read_processes(3);
	press(SCREEN_KEY_ENTER);
	for (int i = 0; i < 3; i++)
		press(SCREEN_KEY_DOWN);
	text = scene_text(80, 10, DISPLAY_UTF8);
	assert_null(strstr(text, "  in use"));
	assert_non_null(strstr(text, "  lately"));
	free(text);
	press(SCREEN_KEY_END);
	text = scene_text(80, 10, DISPLAY_UTF8);
	assert_non_null(strstr(text, "      __libc_start_call_main\nh help")); /* the last line, and no blank one */
	free(text);
	press(SCREEN_KEY_HOME);
	assert_shows("make_node  small.c:12 < build_list");
}

/* Rows may be fewer when a key is pressed than when they were drawn. */
static void test_state_takes_a_key_when_rows_have_gone(void **state)
{
	(void)state;
	press(SCREEN_KEY_END);
	read_processes(1);
	press(SCREEN_KEY_UP);
	assert_int_equal(watch.state.views[LEVEL_PROCESSES].place, 0);
	read_processes(3);
	press(SCREEN_KEY_END);
	read_processes(1);
	assert_int_equal(press(SCREEN_KEY_ENTER), REQUEST_READ);
	assert_int_equal(watch.state.target.pid, 77);
}

static void test_state_shows_the_change_since_a_baseline(void **state)
{
	(void)state;
	assert_shows_not("change");
	assert_int_equal(press('b'), REQUEST_BASELINE);
	processes[0].samples[0].inuse_count = processes[0].samples[0].alloc_count = 202;
	read_processes(3);
	assert_shows("change");
	assert_shows("+1.0 MiB");
	press('c');
	assert_int_equal(pid_at(0), 77);
	assert_int_equal(press('B'), REQUEST_NO_BASELINE);
	assert_shows_not("+1.0 MiB");
}

static void test_state_stands_still_and_helps(void **state)
{
	(void)state;
	assert_int_equal(press(' '), REQUEST_NONE);
	assert_true(watch.state.paused);
	assert_shows("  paused");
	assert_int_equal(press(' '), REQUEST_READ);
	press('h');
	assert_shows("allocated since tracing began and not freed yet");
	press(SCREEN_KEY_END);
	assert_shows("any other key closes help");
	assert_int_equal(press('q'), REQUEST_NONE);
	assert_shows("in 2 processes");
	assert_int_equal(press(0xc), REQUEST_REDRAW);
}

static void test_state_names_the_process_whose_profile_is_written(void **state)
{
	(void)state;
	press(SCREEN_KEY_DOWN);
	assert_int_equal(press('d'), REQUEST_WRITE);
	assert_int_equal(watch.state.target.pid, 4242);
	watch.rows.count = 0;
	assert_int_equal(screen_state_key(&watch.state, 'd', &watch.rows, 1), REQUEST_NONE);
	assert_int_equal(screen_state_key(&watch.state, SCREEN_KEY_ENTER, &watch.rows, 1), REQUEST_NONE);
}

/* Any keys in any order: what is shown has the size that was asked for, which scene_text checks. */
static void test_state_takes_keys_in_any_order(void **state)
{
	static const u32 keys[] = {SCREEN_KEY_UP,
				   SCREEN_KEY_DOWN,
				   SCREEN_KEY_LEFT,
				   SCREEN_KEY_RIGHT,
				   SCREEN_KEY_PAGE_UP,
				   SCREEN_KEY_HOME,
				   SCREEN_KEY_END,
				   SCREEN_KEY_PAGE_DOWN,
				   SCREEN_KEY_ENTER,
				   SCREEN_KEY_ENTER,
				   '/',
				   SCREEN_KEY_ESCAPE,
				   'b',
				   'h',
				   ' ',
				   'o',
				   'u',
				   'a',
				   'g',
				   'm',
				   'v',
				   's',
				   'r',
				   'l',
				   'p',
				   'n',
				   'k',
				   'c',
				   '<',
				   '>',
				   'B',
				   0x65e5};
	u32 random = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		press(keys[(random >> 16) % (sizeof(keys) / sizeof(*keys))]);
		if (i % 7 == 0)
			read_processes(1 + (random >> 8) % 3);
		if (i % 11 == 0)
			free(scene_text(1 + (random >> 20) % 130, 1 + (random >> 12) % 40, (random >> 28) & 1));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_state_sorts_by_each_column_both_ways),
		TEST(test_state_sorts_by_the_column_beside),
		TEST(test_state_keeps_the_row_that_was_chosen),
		TEST(test_state_filters_by_name_pid_and_container),
		TEST(test_state_takes_any_character_into_a_filter),
		TEST(test_state_goes_down_and_back),
		TEST(test_state_scrolls_a_stack_to_its_end),
		TEST(test_state_takes_a_key_when_rows_have_gone),
		TEST(test_state_shows_the_change_since_a_baseline),
		TEST(test_state_stands_still_and_helps),
		TEST(test_state_names_the_process_whose_profile_is_written),
		TEST(test_state_takes_keys_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
