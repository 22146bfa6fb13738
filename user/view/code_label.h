/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What code without a name is called. */
#include "profile/profile.h"

#define CODE_LABEL_SIZE 512

/*
 * "file+0x1234", by the location's offset in its file, which is the same in every run. For code in no file its address, and
 * false.
 */
bool code_label(const struct profile *profile, const struct profile_location *location, char text[CODE_LABEL_SIZE]);

/*
 * The same in brackets, as the name of a function: for readers that leave out code without one, and count its bytes as its
 * caller's. Returns `name`.
 */
#define CODE_LABEL_BRACKETED_SIZE (CODE_LABEL_SIZE + 2)
const char *code_label_bracketed(const struct profile *profile, const struct profile_location *location,
				 char name[CODE_LABEL_BRACKETED_SIZE]);

/* Is `name` what code_label_bracketed makes of the location? */
bool code_label_is_bracketed(const struct profile *profile, const struct profile_location *location, const char *name);
