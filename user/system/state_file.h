/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_STATE_FILE_H
#define SYSTEM_STATE_FILE_H
/*
 * A file in which a container runtime keeps its state. Any user may have written it: regular files only, of limited
 * size, the last component no link.
 */
#include <cjson/cJSON.h>

#define STATE_FILE_BYTES_MAX (4 << 20) /* some 8000 containers in podman's; parsed it takes up to 32 times as much */

/* Call `each` for the entries of a directory but the hidden ones. 0 or negative errno of opening it. */
int state_file_for_each(const char *directory, void (*each)(const char *directory, const char *name, void *arg),
			void *arg);

/* Parse the file at that path; the caller deletes it. 0, -EBADMSG (no JSON), or negative errno. */
int state_file_read(cJSON **ret_json, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number alone in a file, as in init.pid; 0: none. */
int state_file_read_pid(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
