/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap doctor` and what it says about the processes of a stage. Functions fail the running test themselves. */
#include "stage.h"

/* Run doctor, behind the words of `wrapper`; it must end with that status. What it says, errors too, is the stage's text. */
void examine(struct stage *stage, const char *wrapper, const char *args, int status);
void assert_said(const struct stage *stage, const char *words);

/* A program, in the group if there is one, when it stands ready: any one, a known target, one with its own C library. */
void examinee_start(struct child *child, const struct group *group, const char *const *command);
void examinee_start_here(struct child *child, const struct group *group, const char *program);
void examinee_start_private(struct stage *stage, struct child *child, const struct group *group);
