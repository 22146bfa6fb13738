/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where to push: the URL of --to, whose scheme says which store is there and how it is spoken to. */
#include <stdbool.h>

enum store_kind {
	STORE_PYROSCOPE = 1,
	STORE_PARCA,
	STORE_OTLP,
};

struct destination {
	enum store_kind store;
	char *url; /* http:// or https://, host, port, and a path without a slash at its end; allocated */
};

#define DESTINATION_URL_MAX 2048

/*
 * "pyroscope+https://host:port/path", and so parca+ and otlp+, with http or https. 0; -ENOMEM; or -EINVAL with *ret_why what is wrong with it: the rest of a
 * sentence that begins with the URL. A URL with a user in it is refused, and must be in no message.
 */
int destination_parse(const char *text, struct destination *ret_destination, const char **ret_why);
void destination_release(struct destination *destination);

/* Without encryption, to another machine: what is sent can be read on the way. */
bool destination_is_open(const struct destination *destination);
