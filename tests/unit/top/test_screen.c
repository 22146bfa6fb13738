/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is shown of processes, sites and a stack, in screens of all sizes and in ASCII, beside files of tests/golden. */
#include "screen_scene.h"

static void assert_frame(unsigned int columns, u32 lines, enum display_charset charset, const char *name)
{
	char *text = scene_text(columns, lines, charset);

	assert_golden(text, name);
	free(text);
}

/* The golden names have the size in them. */
static void assert_frames(const char *what)
{
	static const struct {
		unsigned int columns;
		u32 lines;
		enum display_charset charset;
		const char *size;
	} sizes[] = {
		{80, 24, DISPLAY_UTF8, "80x24"},  {120, 40, DISPLAY_UTF8, "120x40"}, {40, 10, DISPLAY_UTF8, "40x10"},
		{80, 24, DISPLAY_ASCII, "ascii"}, {116, 0, DISPLAY_UTF8, "batch"},
	};
	char name[64];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		snprintf(name, sizeof(name), "top_%s_%s.txt", what, sizes[i].size);
		assert_frame(sizes[i].columns, sizes[i].lines, sizes[i].charset, name);
	}
}

static void test_screen_of_processes(void **state)
{
	(void)state;
	make_processes();
	read_processes(3);
	processes[0].samples[0].inuse_count = processes[0].samples[0].alloc_count = 300;
	read_processes(3);
	assert_frames("processes");
}

static void test_screen_of_sites(void **state)
{
	(void)state;
	make_processes();
	read_processes(1);
	read_processes(1);
	processes[0].samples[0].inuse_count = processes[0].samples[0].alloc_count = 250;
	read_processes(1);
	assert_frames("sites");
}

static void test_screen_of_a_stack(void **state)
{
	(void)state;
	make_processes();
	read_processes(1);
	read_processes(1);
	assert_int_equal(press(SCREEN_KEY_ENTER), REQUEST_ROWS);
	assert_frames("stack");
}

/* Whatever the size, no line is too long and there are as many as asked for. */
static void test_screen_of_any_size(void **state)
{
	(void)state;
	make_processes();
	read_processes(1);
	read_processes(1);
	for (enum level level = LEVEL_PROCESSES; level <= LEVEL_STACK; level++) {
		watch.state.level = level;
		watch.state.site = watch.rows.rows[0].key;
		watch_sort(&watch);
		for (unsigned int columns = 1; columns < 200; columns += columns < 30 ? 1 : 17)
			for (u32 lines = 1; lines < 40; lines += 3) {
				free(scene_text(columns, lines, DISPLAY_UTF8));
				free(scene_text(columns, lines, DISPLAY_ASCII));
			}
	}
	watch.state.help = true;
	for (u32 lines = 2; lines < 60; lines += 7)
		free(scene_text(33, lines, DISPLAY_UTF8));
}

static void test_screen_before_anything_is_known(void **state)
{
	(void)state;
	assert_shows("container web, 0 ns");
	assert_shows("no process yet");
}

static void test_screen_of_a_process_that_is_gone(void **state)
{
	(void)state;
	make_processes();
	read_processes(1);
	read_processes(1);
	processes[0].pid = 78;
	read_processes(1);
	assert_shows("process 77\n  its profile cannot be had: No such file or directory");
}

/* However long the path of a program is, its name and what follows it are shown. */
static void test_screen_of_a_long_path(void **state)
{
	(void)state;
	make_processes();
	processes[0].exe =
		(char *)"/a/long/way/down/the/disk/to/a/place/where/few/programs/are/kept/\xc3\xa9t\xc3\xa9/server";
	read_processes(1);
	read_processes(1);
	assert_shows(
		"77 grower ...where/few/programs/are/kept/\xc3\xa9t\xc3\xa9/server, 4.0 s, a sample per 512 KiB\n");
}

/* Names that try to be more than names are shown as what they are, in columns that still stand below each other. */
static void test_screen_of_hostile_names(void **state)
{
	struct profile_line *line;

	(void)state;
	make_processes();
	processes[0].comm = (char *)"\033[2J\033]0;owned\a";
	processes[1].comm = (char *)"\xff\xfe\xc2\x9b"
				    "31m";
	processes[1].container_name = (char *)"日本語日本語日本語日本語";
	processes[2].comm = (char *)"e\xcc\x81\xe2\x80\xaegnp.exe";
	read_processes(3);
	read_processes(3);
	assert_frame(120, 24, DISPLAY_UTF8, "top_hostile_names.txt");
	assert_frame(120, 24, DISPLAY_ASCII, "top_hostile_names_ascii.txt");

	line = processes[0].locations[INLINED].lines;
	line[0].function =
		(char *)"\033[31m<script>alert(1)</script>\r\n\xf0\x9f\x92\xa9 関数関数関数関数関数関数関数関数関数";
	press(SCREEN_KEY_ENTER);
	read_processes(3);
	assert_frame(80, 24, DISPLAY_UTF8, "top_hostile_site.txt");
	press(SCREEN_KEY_ENTER);
	assert_frame(80, 24, DISPLAY_UTF8, "top_hostile_stack.txt");
	line[0].function = (char *)"make_node";
}

static void test_screen_says_what_was_lost(void **state)
{
	(void)state;
	make_processes();
	processes[0].ledger[COUNTER_LOST_RING] = 1234;
	read_processes(2);
	assert_shows("  lost 1 234");
	press(SCREEN_KEY_ENTER);
	read_processes(2);
	assert_shows("  lost 1 234\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_screen_of_processes, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_of_sites, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_of_a_stack, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_of_any_size, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_before_anything_is_known, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_of_a_process_that_is_gone, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_of_a_long_path, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_of_hostile_names, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_screen_says_what_was_lost, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
