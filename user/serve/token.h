/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The secret that clients must show where everyone can connect: as `Authorization: Bearer TOKEN`, or as Basic's password. */
#include <stdbool.h>

#define TOKEN_MIN 16
#define TOKEN_MAX 512

struct token {
	char text[TOKEN_MAX + 1];
};

/*
 * The first line of the file, which nobody but its owner may read. 0; -EACCES: others may read or write it; -EINVAL: the line is no
 * token (TOKEN_MIN to TOKEN_MAX printable characters without blanks); or negative errno.
 */
int token_read(const char *path, struct token *ret_token);

/* Does the header's value (NULL: none) show it? Takes as long for any token of one length. */
bool token_is_shown(const struct token *token, const char *authorization);
