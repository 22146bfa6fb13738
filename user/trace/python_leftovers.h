/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Pointers of Python's allocator (python_pointers.h) that stayed turned when heaptap was killed. They cost the process some nanoseconds for each
 * object. Those of a recording that goes on look the same, but its probes are in the functions then.
 */
#include "system/pid_list.h"

struct python_leftovers {
	unsigned int pointers;	/* given back */
	unsigned int processes; /* that they were given back to */
	pid_t first;		/* of these */
	unsigned int looked;	/* processes that run such a Python */
	unsigned int recorded;	/* of these, with pointers that a recording uses now */
	unsigned int moving; /* of these, with pointers that stay as its threads did not stop, or may not be stopped */
};

/*
 * Give back what is left in these processes, once the breakpoints that nobody uses are gone (leftovers.h): those that are there still tell that
 * a recording goes on. 0; or a shortage (shortage.h), and then some have not been looked at.
 */
int python_leftovers_give_back(const struct pid_list *pids, struct python_leftovers *ret);
