/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The message of a .pb.gz, unpacked, and its strings. */
#include "include/types.h"
#include "pprof.pb-c.h"

/* Valid when zeroed. */
struct pprof_message {
	Pprof__Profile *profile;
	u64 copied; /* bytes of strings; bounded, since every line can name the same long string */
};

/* 0; -EBADMSG: not such a message, or one that takes more than 4 GiB. */
int pprof_message_unpack(const u8 *data, size_t size, struct pprof_message *ret_message);
void pprof_message_release(struct pprof_message *message);

/* The string at that index, valid as long as the message; NULL: no such string. */
const char *pprof_message_string(const struct pprof_message *message, s64 index);
bool pprof_message_string_is(const struct pprof_message *message, s64 index, const char *wanted);

/* 0 and a copy, NULL for the empty string; -EBADMSG: no such string; -EFBIG: copies of more than 4 GiB; -ENOMEM. */
int pprof_message_copy_string(struct pprof_message *message, s64 index, char **ret);
