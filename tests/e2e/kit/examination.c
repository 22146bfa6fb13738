/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `heaptap doctor` and what it says about the processes of a stage. */
#include "examination.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "own_libc.h"

void examine(struct stage *stage, const char *wrapper, const char *args, int status)
{
	FILE *pipe = popen(format("exec env %s '%s' doctor %s 2>&1", wrapper, heaptap_path(), args), "re");
	size_t size = 0;
	int ended;

	free(stage->text);
	stage->text = NULL;
	if (!pipe || getdelim(&stage->text, &size, '\0', pipe) < 0)
		fail_msg("doctor %s: no output", args);
	ended = pclose(pipe);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
		fail_msg("doctor %s: status %d instead of %d:\n%s", args, child_exit_status(ended), status,
			 stage->text);
}

void assert_said(const struct stage *stage, const char *words)
{
	if (!strstr(stage->text, words))
		fail_msg("doctor did not say \"%s\" but:\n%s", words, stage->text);
}

void examinee_start(struct child *child, const struct group *group, const char *const *command)
{
	stage_start(child, group, command);
	target_ready(child);
}

void examinee_start_here(struct child *child, const struct group *group, const char *program)
{
	examinee_start(child, group, (const char *const[]){beside(program), "malloc", NULL});
}

void examinee_start_private(struct stage *stage, struct child *child, const struct group *group)
{
	own_libc_install(stage->scene);
	examinee_start(child, group, own_libc_argv(stage->scene));
}
