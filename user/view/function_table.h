/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The functions of one or of several profiles, numbered, so that their stacks can be compared. One function is a name in a
 * mapped file; files are told apart by the last part of their paths, since a build of another day may be in another folder.
 */
#include "base/intern.h"
#include "profile/profile.h"

struct function_table {
	struct intern texts;	 /* names, and what else is to live as long */
	struct intern functions; /* by name and file */
	const char **names;	 /* by number */
	u32 count;
};

/* A frame as people see it: a function that was inlined has one of its own. */
struct stack_step {
	u32 function;
	u32 location, line; /* of the profile: where it comes from; line 0 of code without lines */
};

/* A file may be made so that few bytes stand for endless stacks. Beyond so many steps a stack ends in PROFILE_TRUNCATED. */
#define STACK_STEPS_MAX 1024

/* The frames of all locations of a profile. */
struct stack_steps {
	const struct profile *profile; /* borrowed */
	u32 *first;		       /* by location; one more at the end */
	struct stack_step *steps;      /* of each location innermost first */
	u32 unknown;		       /* the step that stands for a stack that is not known */
	u32 truncated;		       /* and the one for the rest of a stack */
	u32 depth_max;		       /* STACK_STEPS_MAX, or less if the caller has set it */
};

/* Number a profile's functions, adding those that are new. 0 or -ENOMEM; stack_steps_release in both cases. */
int stack_steps_make(struct function_table *table, const struct profile *profile, struct stack_steps *ret_steps);
void stack_steps_release(struct stack_steps *steps);

/* A step by its number, and its function, by which stacks are compared. */
struct path_step {
	u32 function, step;
};

/* The steps of a sample's stack, from its leaf on; `path` has room for stack_steps_depth of them. */
u32 stack_steps_depth(const struct stack_steps *steps, const struct profile_sample *sample);
void stack_steps_path(const struct stack_steps *steps, const struct profile_sample *sample, struct path_step *path);

/* The line that a step comes from; NULL: code without a name, or an unknown stack. */
const struct profile_line *stack_step_line(const struct stack_steps *steps, u32 step);
enum frame_role stack_step_role(const struct stack_steps *steps, u32 step);

/* The table's own copy of a text; NULL stays NULL. 0 or -ENOMEM. */
int function_table_text(struct function_table *table, const char *text, const char **ret_text);

/* The number of the function with that name in no file. 0 or -ENOMEM. */
int function_table_name(struct function_table *table, const char *name, u32 *ret_function);

void function_table_release(struct function_table *table);
