/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The message of a .pb.gz, taken apart one entry of its tables after the other. As structs, all of them at once, it would
 * be many times as large as its bytes. The file may be hostile, and a few kilobytes may unpack to millions of entries: so
 * what is made of it has a limit, which pprof_message_spend keeps.
 */
#include "include/types.h"
#include "pprof.pb-c.h"
#include "profile/profile.h"

/* Numbers of the fields that are tables. */
enum pprof_table {
	PPROF_SAMPLES = 2,
	PPROF_MAPPINGS,
	PPROF_LOCATIONS,
	PPROF_FUNCTIONS,
	PPROF_STRINGS,
	PPROF_TABLE_MAX
};

struct pprof_string {
	const u8 *bytes;
	size_t size;
	char *text; /* the profile's, once pprof_message_text has made it */
};

struct pprof_message {
	const u8 *data; /* borrowed */
	size_t size;
	u64 left;		    /* how many bytes may still be taken for what is made of it */
	u64 count[PPROF_TABLE_MAX]; /* entries of each table */
	struct pprof_string *strings;
	Pprof__Profile *head; /* what is in no table */
};

/*
 * Look through `data`, which stays the caller's and must outlive the message. 0; -EBADMSG: no such message; -ENODATA: truncated; -EFBIG: it
 * takes more than `left` bytes; -ENOMEM. To be released in any case.
 */
int pprof_message_open(const u8 *data, size_t size, u64 left, struct pprof_message *ret_message);
void pprof_message_release(struct pprof_message *message);

/* Take `count` times `size` bytes from what is left. 0, or -EFBIG. */
int pprof_message_spend(struct pprof_message *message, u64 count, u64 size);

/*
 * Each entry of a table (not of the strings), unpacked for as long as the call takes, until one returns non-zero: that. As
 * well -EBADMSG, -EFBIG or -ENOMEM.
 */
int pprof_message_each(struct pprof_message *message, enum pprof_table table, int (*each)(const void *entry, void *arg),
		       void *arg);

/* Copy the string at that index, cut to fit `text`. False: no such string. */
bool pprof_message_copy(const struct pprof_message *message, s64 index, char *text, size_t size);
bool pprof_message_string_is(const struct pprof_message *message, s64 index, const char *wanted);

/* *ret_text is one of the profile's texts (profile_text), NULL for the empty string. 0; -EBADMSG: no such string; -EFBIG; -ENOMEM. */
int pprof_message_text(struct pprof_message *message, s64 index, struct profile *profile, char **ret_text);
