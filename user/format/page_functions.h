/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The functions that a part of a page names, each once: the rest refers to them by number. */
#include "base/intern.h"
#include "base/json.h"
#include "profile/profile.h"

struct page_function {
	const char *name, *file; /* file NULL: unknown */
	enum frame_role role;
};

struct page_functions {
	struct intern texts, keys;
	struct page_function *functions;
	u32 count;
};

/* *ret_number is that of the function; the texts are copied. 0 or -ENOMEM. */
int page_functions_number(struct page_functions *functions, const struct page_function *function, u32 *ret_number);

/* The function of a line of a location; line 0 of a location without lines. */
int page_functions_number_frame(struct page_functions *functions, const struct profile *profile,
				const struct profile_location *location, u32 line, u32 *ret_number);

/* "functions": [[name, file or null, role, brief name where there is one], ...], by number. */
void page_functions_write(const struct page_functions *functions, struct json *json);
void page_functions_release(struct page_functions *functions);
