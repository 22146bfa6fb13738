/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Base64 (RFC 4648, section 4): how JSON carries bytes. */
#include <stddef.h>

/* With padding and NUL-terminated, in *ret_length characters; for the caller to free. NULL: no memory. */
char *base64_encode(const void *bytes, size_t size, size_t *ret_length);
