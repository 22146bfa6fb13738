/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Gzipped files: read whole into memory, and written as protobuf-c packs a message. */
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <zlib.h>

#include "include/types.h"

/*
 * A file may unpack to 1 GiB, and to no more than 128 times its size once that is over 64 MiB: what packs better (gzip
 * goes to 1032 times) says nothing.
 */
#define GZIP_UNPACKED_MAX (1ull << 30)
#define GZIP_FLOOR	  (64ull << 20)
#define GZIP_TIMES_MAX	  128

/*
 * Unpack a file; one that is not gzipped is taken as it is. 0 with *ret_data allocated, also for no bytes, and the size of
 * the file; -ESPIPE: no regular file, which may have no end; -EBADMSG: damaged; -ENODATA: truncated; -EFBIG: it unpacks to too much; or errno.
 */
int gzip_read(const char *path, u8 **ret_data, u64 *ret_size, u64 *ret_packed_size);

/* A buffer that protobuf-c appends to, and that passes everything on through zlib. */
struct gzip {
	ProtobufCBuffer base;
	z_stream stream;
	FILE *out; /* borrowed */
	int err;   /* the first one; what is appended afterwards is dropped */
	u32 input_size;
	u8 input[16384], chunk[16384];
};

/* At one of zlib's levels. No name and no time in the gzip header: equal messages make equal files. 0 or -ENOMEM: then nothing is to be ended. */
int gzip_begin(struct gzip *gzip, FILE *out, int level);

/* Write the rest, and release what zlib has. 0, or the negative errno of the first failure since gzip_begin. */
int gzip_end(struct gzip *gzip);
