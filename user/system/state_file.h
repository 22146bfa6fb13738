/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A file in which a container runtime keeps its state. Any user may have written it: regular files only, of limited
 * size, the last component no link.
 */
#include <cjson/cJSON.h>

#define STATE_FILE_BYTES_MAX (4 << 20) /* some 8000 containers in podman's; parsed it takes up to 32 times as much */

/* Call `each` for the entries of the directory at that path but the hidden ones. 0 or negative errno of opening it. */
int state_file_for_each(void (*each)(const char *directory, const char *name, void *arg), void *arg, const char *format,
			...) __attribute__((format(printf, 3, 4)));

/* Parse the file at that path; the caller deletes *ret_json. 0, -EBADMSG (no JSON), or negative errno. */
int state_file_read(cJSON **ret_json, const char *format, ...) __attribute__((format(printf, 2, 3)));
