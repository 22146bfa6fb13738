/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int deflate_all(z_stream *stream, const struct push_request *request, struct push_request *packed)
{
	uLong bound = deflateBound(stream, request->size);
	unsigned char *cut;
	int done;

	packed->body = malloc(bound);
	if (!packed->body)
		return -ENOMEM;
	stream->next_in = request->body;
	stream->avail_in = (uInt)request->size;
	stream->next_out = packed->body;
	stream->avail_out = (uInt)bound;
	done = deflate(stream, Z_FINISH);
	if (done != Z_STREAM_END)
		return -EIO;
	packed->size = stream->total_out;
	cut = realloc(packed->body, packed->size);
	if (cut)
		packed->body = cut;
	return 0;
}

/* The fastest level would leave 2 % more of profiles in JSON, though they are compressed already, and 16 % more of OTLP's. */
static int pack_gzip(const struct push_request *request, struct push_request *packed)
{
	z_stream stream = {0};
	int err;

	if (request->size > UINT32_MAX / 2)
		return -EFBIG;
	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	err = deflate_all(&stream, request, packed);
	deflateEnd(&stream);
	return err;
}

static int pack_copy(const struct push_request *request, struct push_request *packed)
{
	if (request->size > PUSH_BODY_MAX)
		return -EFBIG;
	packed->body = malloc(request->size ? request->size : 1);
	if (!packed->body)
		return -ENOMEM;
	if (request->size)
		memcpy(packed->body, request->body, request->size);
	return 0;
}

int push_request_pack(const struct push_request *request, struct push_request *ret_packed)
{
	struct push_request packed = *request;
	int err;

	packed.body = NULL;
	packed.path = strdup(request->path);
	err = !packed.path ? -ENOMEM : request->gzip ? pack_gzip(request, &packed) : pack_copy(request, &packed);
	if (!err && packed.size > PUSH_BODY_MAX)
		err = -EFBIG;
	if (err)
		push_request_free(&packed);
	else
		*ret_packed = packed;
	return err;
}

void push_request_free(struct push_request *request)
{
	free(request->path);
	free(request->body);
	*request = (struct push_request){0};
}
