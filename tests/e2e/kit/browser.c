/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "browser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "session.h"

void browser_run(const char *script, const char *first, const char *second)
{
	const char *const argv[] = {"/usr/bin/env", "node", beside(format("../page/%s", script)), first, second, NULL};
	const char *const environment[] = {format("DEADLINE_MS=%d", DEADLINE_MS), NULL};
	struct child node = {.pid = child_start(&(struct child_launch){
				     .argv = argv, .environment = environment, .in = -1, .out = -1, .err = -1})};

	if (!child_reap(&node) || node.status)
		fail_msg("node %s '%s' '%s' failed", script, first, second ? second : "");
}

void browser_make_page(const char *words)
{
	if (system(format("'%s' report -q %s", heaptap_path(), words)))
		fail_msg("heaptap report %s failed", words);
}
