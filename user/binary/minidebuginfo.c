/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .gnu_debugdata: an ELF file with a symbol table, xz-compressed, inside another one. It is unpacked into a file in
 * memory, so that everything else can treat it like any file. A few kilobytes can unfold to gigabytes, so both what the
 * decoder may use and what it may yield are limited.
 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binary/minidebuginfo.h"
#include "binary/elf.h"

#define PACKED_BYTES_MAX   ((size_t)32 << 20)
#define UNPACKED_BYTES_MAX ((u64)64 << 20)
#define DECODER_BYTES_MAX  ((u64)72 << 20) /* xz -9 asks for 65 MiB */

static int write_all(int fd, const u8 *bytes, size_t size)
{
	while (size) {
		ssize_t count = write(fd, bytes, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		bytes += count;
		size -= (size_t)count;
	}
	return 0;
}

static int error_of(lzma_ret ret)
{
	switch (ret) {
	case LZMA_OK:
	case LZMA_STREAM_END:
		return 0;
	case LZMA_MEM_ERROR:
		return -ENOMEM;
	case LZMA_MEMLIMIT_ERROR:
		return -EFBIG;
	default:
		return -EBADMSG;
	}
}

static int decode(lzma_stream *stream, int fd)
{
	static u8 buffer[1 << 16];
	lzma_ret ret = LZMA_OK;
	int err = 0;

	while (!err && ret == LZMA_OK) {
		size_t size;

		stream->next_out = buffer;
		stream->avail_out = sizeof(buffer);
		ret = lzma_code(stream, LZMA_FINISH);
		err = error_of(ret);
		size = sizeof(buffer) - stream->avail_out;
		if (!err && stream->total_out > UNPACKED_BYTES_MAX)
			err = -EFBIG;
		if (!err)
			err = write_all(fd, buffer, size);
	}
	return err;
}

static int unpack(const u8 *packed, size_t size, int fd)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	int err = error_of(lzma_stream_decoder(&stream, DECODER_BYTES_MAX, 0));

	if (err)
		return err;
	stream.next_in = packed;
	stream.avail_in = size;
	err = decode(&stream, fd);
	lzma_end(&stream);
	return err;
}

int minidebuginfo_unpack(const struct elf *elf, struct elf **ret_debug)
{
	u8 *packed;
	u64 size;
	int fd, err;

	err = elf_read_section(elf, ".gnu_debugdata", PACKED_BYTES_MAX, &packed, &size, NULL);
	if (err)
		return err;
	fd = memfd_create("gnu_debugdata", MFD_CLOEXEC);
	err = fd < 0 ? -errno : unpack(packed, size, fd);
	free(packed);
	if (!err)
		return elf_open_debug(fd, elf_path(elf), ret_debug);
	if (fd >= 0)
		close(fd);
	return err;
}
