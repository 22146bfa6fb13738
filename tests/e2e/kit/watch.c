/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

struct screen screen;

int watch_setup(void **state)
{
	return scene_setup(state);
}

int watch_teardown(void **state)
{
	screen_close(&screen);
	return scene_teardown(state);
}

void watch_start_target(struct child *target)
{
	target_start(target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(target);
	target_go(target);
}

void watch_target(struct scene *scene)
{
	watch_start_target(&scene->target);
	screen_run(&screen, format("top --delay 0.1 -R 1 -p %d", scene->target.pid));
	screen_await(&screen, "0 B = 0 B in 0 objects");
	target_take_steps(&scene->target, "k");
	screen_await(&screen, "1000 B = 1 000 B in 1 object");
}

void watch_quit(void)
{
	screen_press(&screen, "q");
	screen_await_restored(&screen, 0);
}
