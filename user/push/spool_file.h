/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One file of the spool. Its numbers are in this machine's order of bytes: it is read where it was written. */
#include "push/ledger.h"
#include "push/request.h"

#define SPOOL_MAGIC	    0x3154535551455250ull /* "PREQUST1" */
#define SPOOL_PATH_MAX	    4096		  /* characters of a path */
#define SPOOL_TYPE_MAX	    256			  /* of a content type */
#define SPOOL_FILE_NAME_MAX 32

struct spool_header {
	u64 magic;
	u64 number; /* as in the file's name */
	u64 body_size;
	u64 profiles, samples;
	s64 taken_ns;
	u16 path_length, type_length;
	u32 gzip;	 /* 0 or 1 */
	u32 content_crc; /* CRC-32 of all that follows the header */
	u32 header_crc;	 /* of what stands before this */
};

_Static_assert(sizeof(struct spool_header) == 64, "no padding, which would be written");

/* The name of the file with that number, and back; false: it is no such name. */
void spool_file_name(u64 number, char name[SPOOL_FILE_NAME_MAX]);
bool spool_file_number(const char *name, u64 *ret_number);

/*
 * Write the request to directory `dir` under the name of its number, and flush file and directory. *ret_size: of the file. 0 or
 * negative errno, and then there is no such file.
 */
int spool_file_write(int dir, u64 number, const struct push_request *request, u64 *ret_size);

/*
 * What the header says of a file, and its size. 0; -EPERM: it is no plain file of this user alone; -EBADMSG: it is not whole, or not of this
 * form; or negative errno.
 */
int spool_file_check(int dir, u64 number, struct spool_header *ret_header, u64 *ret_size);

/* The same, and the request, to be freed. */
int spool_file_read(int dir, u64 number, struct push_request *ret_request);
