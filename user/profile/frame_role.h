/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whose a frame is, by its names and by the file that it is in. */
#include <regex.h>

#include "profile/profile.h"

/*
 * Give each line, and each location without lines, its role. What is a wrapper already (profile/wrappers.h, or a file says
 * so) stays one; functions whose name `skip` fits become one; NULL: none.
 */
void frame_roles_mark(struct profile *profile, const regex_t *skip);

const char *frame_role_name(enum frame_role role); /* "program", "library", "wrapper" */
