/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip by zlib, with its errors as negative errno. */
#include "base/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"

/* --- reading --- */

#define READ_BYTES (1 << 16)

struct bytes {
	u8 *data;
	u64 size, packed_size;
};

/* What zlib has to say; a file that ends too early yields what it has, and shows only here. */
static int gzip_error(gzFile file)
{
	int saved = errno, code;

	gzerror(file, &code);
	if (code == Z_OK)
		return 0;
	if (code == Z_ERRNO)
		return saved ? -saved : -EIO;
	if (code == Z_BUF_ERROR)
		return -ENODATA;
	return code == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

/* What has been read of the file, a little ahead of what is unpacked. */
static u64 packed_size(gzFile file, const struct bytes *bytes)
{
	z_off_t offset = gzdirect(file) ? -1 : gzoffset(file);

	if (gzdirect(file))
		return bytes->size;
	return offset < 0 ? 0 : (u64)offset;
}

static bool is_too_much(const struct bytes *bytes)
{
	return bytes->size >= GZIP_UNPACKED_MAX ||
	       (bytes->size > GZIP_FLOOR && bytes->size / GZIP_TIMES_MAX > bytes->packed_size);
}

static int read_all(gzFile file, struct bytes *bytes)
{
	int got;

	do {
		bytes->packed_size = packed_size(file, bytes);
		if (is_too_much(bytes))
			return -EFBIG;
		if (array_grow(&bytes->data, bytes->size, READ_BYTES))
			return -ENOMEM;
		got = gzread(file, bytes->data + bytes->size, READ_BYTES);
		bytes->size += got > 0 ? got : 0;
	} while (got > 0);
	return gzip_error(file);
}

/* Without waiting: a FIFO that nobody writes to would be opened for ever. A descriptor or negative errno. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &status) ? -errno : S_ISREG(status.st_mode) ? 0 : -ESPIPE;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int gzip_read(const char *path, u8 **ret_data, u64 *ret_size, u64 *ret_packed_size)
{
	int fd = open_regular(path), err;
	struct bytes bytes = {0};
	gzFile file;

	if (fd < 0)
		return fd;
	file = gzdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	err = read_all(file, &bytes);
	gzclose_r(file);
	if (err) {
		free(bytes.data);
		return err;
	}
	*ret_data = bytes.data;
	*ret_size = bytes.size;
	*ret_packed_size = bytes.packed_size;
	return 0;
}

/* --- writing --- */

static void gzip_run(struct gzip *gzip, int flush)
{
	do {
		size_t made;

		gzip->stream.next_out = gzip->chunk;
		gzip->stream.avail_out = sizeof(gzip->chunk);
		if (deflate(&gzip->stream, flush) == Z_STREAM_ERROR)
			gzip->err = -EIO;
		made = sizeof(gzip->chunk) - gzip->stream.avail_out;
		if (!gzip->err && fwrite(gzip->chunk, 1, made, gzip->out) != made)
			gzip->err = errno ? -errno : -EIO;
	} while (!gzip->err && !gzip->stream.avail_out);
}

static void gzip_pass_on(struct gzip *gzip, int flush)
{
	gzip->stream.next_in = gzip->input;
	gzip->stream.avail_in = gzip->input_size;
	gzip->input_size = 0;
	gzip_run(gzip, flush);
}

/* Protobuf-c appends a few bytes at a time, and zlib takes as long for a few as for many. */
static void gzip_append(ProtobufCBuffer *base, size_t size, const u8 *data)
{
	struct gzip *gzip = (struct gzip *)base;

	while (size && !gzip->err) {
		size_t room = sizeof(gzip->input) - gzip->input_size, part = size < room ? size : room;

		memcpy(gzip->input + gzip->input_size, data, part);
		gzip->input_size += (u32)part;
		data += part;
		size -= part;
		if (gzip->input_size == sizeof(gzip->input))
			gzip_pass_on(gzip, Z_NO_FLUSH);
	}
}

int gzip_begin(struct gzip *gzip, FILE *out, int level)
{
	*gzip = (struct gzip){.base.append = gzip_append, .out = out};
	if (deflateInit2(&gzip->stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	return 0;
}

int gzip_end(struct gzip *gzip)
{
	if (!gzip->err)
		gzip_pass_on(gzip, Z_FINISH);
	deflateEnd(&gzip->stream);
	return gzip->err;
}
