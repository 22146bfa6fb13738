/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target with a C library and a loader of the scene's own. */
#include "own_libc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "code.h"

void own_libc_install(const struct scene *scene)
{
	const char *command = format("cd '%s' && cp /lib/x86_64-linux-gnu/libc.so.6 /lib64/ld-linux-x86-64.so.2 . && "
				     "cp '%s' program",
				     scene->dir, beside("target_leak"));

	if (access(format("%s/program", scene->dir), F_OK) && system(command))
		fail_msg("failed: %s", command);
}

const char *const *own_libc_argv(const struct scene *scene)
{
	static const char *argv[6];

	argv[0] = format("%s/ld-linux-x86-64.so.2", scene->dir);
	argv[1] = "--library-path";
	argv[2] = scene->dir;
	argv[3] = format("%s/program", scene->dir);
	argv[4] = "malloc";
	return argv;
}

void own_libc_churn(struct scene *scene)
{
	const char *variable = format("LD_LIBRARY_PATH=%s", scene->dir);
	const char *command = format("cp --remove-destination -L /lib/x86_64-linux-gnu/libc.so.6 '%s'", scene->dir);

	if (system(command))
		fail_msg("failed: %s", command);
	target_start(&scene->target, (const char *const[]){variable, NULL},
		     (const char *const[]){beside("target_churn"), "-w", "-s", "100000", "-r", "20000", NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
}

unsigned int own_libc_breakpoints(const struct scene *scene)
{
	return code_changes(scene->target.pid, "libc.so.6");
}
