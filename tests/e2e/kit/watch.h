/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap top` in a terminal, watching target_steps with every allocation a sample. Functions fail the running test themselves. */
#include "screen.h"

extern struct screen screen; /* the terminal of the running test, once it is open */

/* A scene with that terminal, for cmocka. */
int watch_setup(void **state);
int watch_teardown(void **state);

/* Start target_steps; it does nothing until it is told to. */
void watch_start_target(struct child *target);

/* Run top on the scene's target in the terminal, which is open, until it shows the 1000 bytes that the target then keeps. */
void watch_target(struct scene *scene);

/* Press q: heaptap ends well, and leaves the terminal as it was. */
void watch_quit(void);
