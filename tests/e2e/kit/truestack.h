/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Records a program under the shim, all of its calls, and compares its stacks with libunwind's. Functions fail the running
 * cmocka test themselves and return only when all is well.
 */
#include "session.h"

#define STACKS_WORDS_MAX 24

/*
 * Run `words` (NULL-terminated; words[0] a full path) as COMMAND, twice, with heaptap and without: output and exit
 * status 0 must be the same, and the stacks as stacks_assert_true has it.
 */
void stacks_command(struct scene *scene, const char *const *words);

/*
 * The same for `program SCENE`, of which an exit status of 7 is expected, and of its stacks that they be right or
 * counted, never wrong; at least so many percent right, not counting those cut because they had to be sent raw.
 */
void stacks_scene(struct scene *scene, const char *program, const char *name, unsigned int equal_min);

/*
 * The same with the samples taken in the process, at an interval of 4096. Only calls for STACKS_SURE bytes and more are compared:
 * one is missed once in 10^17.
 */
#define STACKS_SURE 165000
void stacks_inline_scene(struct scene *scene, const char *program, const char *name, unsigned int equal_min);

/* The same for a program beside the test with the shim linked in; its output goes nowhere. */
void stacks_static(struct scene *scene, const char *program);

/* The parts, for programs that do not end on their own. `output` takes the program's. */
void stacks_start(struct scene *scene, const char *output, const char *const *words);
void stacks_assert_true(struct scene *scene, const char *program, const cJSON *process);
