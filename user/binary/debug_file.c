/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding separate debug files, where gdb finds them too. No state. The names come from hostile files, as in elf.c. */
#include "binary/debug_file.h"

#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "binary/elf.h"
#include "system/root_fs.h"

#define DEBUG_DIRECTORY "/usr/lib/debug"
#define FILE_BYTES_MAX	((u64)4 << 30)
#define LINK_BYTES_MAX	4096
#define ID_BYTES_MIN	2 /* one names the directory */

#define PACKED_BYTES_MAX   ((size_t)32 << 20)
#define UNPACKED_BYTES_MAX ((u64)64 << 20)
#define DECODER_BYTES_MAX  ((u64)72 << 20) /* xz -9 asks for 65 MiB */

bool debug_file_fits(const struct elf *elf, const struct elf *debug)
{
	unsigned int size, debug_size;
	const u8 *id = elf_build_id(elf, &size), *debug_id = elf_build_id(debug, &debug_size);

	return size && size == debug_size && !memcmp(id, debug_id, size);
}

static bool checksum_is(const struct elf *debug, u32 wanted)
{
	uLong checksum = crc32(0, NULL, 0);
	static u8 buffer[1 << 16];
	u64 offset = 0;
	ssize_t count;

	while ((count = elf_read(debug, offset, buffer, sizeof(buffer))) > 0) {
		checksum = crc32(checksum, buffer, (uInt)count);
		offset += (u64)count;
	}
	return count == 0 && checksum == wanted;
}

/* Two files without a build id do not contradict each other: there the checksum alone decides. */
static bool linked_fits(const struct elf *elf, const struct elf *debug, u32 checksum)
{
	unsigned int size, debug_size;

	elf_build_id(elf, &size);
	elf_build_id(debug, &debug_size);
	if ((size || debug_size) && !debug_file_fits(elf, debug))
		return false;
	return checksum_is(debug, checksum);
}

int debug_file_open(const struct elf *elf, int fd, const char *path, const u32 *checksum, struct elf **ret_debug)
{
	struct elf *debug;
	int err = fd < 0 ? -ENOENT : elf_open_debug(fd, path, &debug);

	if (err)
		return err == -ENOMEM ? err : -ENOENT;
	if (checksum ? !linked_fits(elf, debug, *checksum) : !debug_file_fits(elf, debug)) {
		elf_free(debug);
		return -ENOENT;
	}
	*ret_debug = debug;
	return 0;
}

static int open_debug(const struct elf *elf, const struct root_fs *root, const char *path, const u32 *checksum,
		      struct elf **ret_debug)
{
	int fd = root_fs_open_file(root, path, ROOT_LINKS_INSIDE, FILE_BYTES_MAX, NULL);

	return debug_file_open(elf, fd, path, checksum, ret_debug);
}

static int find_by_build_id(const struct elf *elf, const struct root_fs *root, struct elf **ret_debug)
{
	char path[sizeof(DEBUG_DIRECTORY "/.build-id/") + 2 * BUILD_ID_MAX + sizeof("/.debug")];
	unsigned int size;
	const u8 *id = elf_build_id(elf, &size);
	int length;

	if (size < ID_BYTES_MIN)
		return -ENOENT;
	length = snprintf(path, sizeof(path), DEBUG_DIRECTORY "/.build-id/%02x/", id[0]);
	for (unsigned int i = 1; i < size; i++)
		length += snprintf(path + length, sizeof(path) - (size_t)length, "%02x", id[i]);
	snprintf(path + length, sizeof(path) - (size_t)length, ".debug");
	return open_debug(elf, root, path, NULL, ret_debug);
}

/* The name in .gnu_debuglink and the checksum behind it: 0, -ENOENT or -ENOMEM. */
static int read_link(const struct elf *elf, char **ret_name, u32 *ret_checksum)
{
	u8 *bytes;
	u64 size, end;
	int err;

	err = elf_read_section(elf, ".gnu_debuglink", LINK_BYTES_MAX, &bytes, &size, NULL);
	if (err)
		return err == -ENOMEM ? err : -ENOENT;
	end = (strnlen((char *)bytes, size) + sizeof(u32)) & ~(sizeof(u32) - 1);
	/* Only a plain name: a path could lead to any file. */
	if (end + sizeof(u32) > size || !*bytes || strchr((char *)bytes, '/')) {
		free(bytes);
		return -ENOENT;
	}
	memcpy(ret_checksum, bytes + end, sizeof(u32));
	*ret_name = (char *)bytes;
	return 0;
}

static int find_by_link(const struct elf *elf, const struct root_fs *root, struct elf **ret_debug)
{
	static const char *const forms[] = {"%.*s/%s", "%.*s/.debug/%s", DEBUG_DIRECTORY "%.*s/%s"};
	const char *path = elf_path(elf), *slash = strrchr(path, '/');
	char *name;
	u32 checksum;
	int err;

	if (*path != '/')
		return -ENOENT;
	err = read_link(elf, &name, &checksum);
	if (err)
		return err;
	err = -ENOENT;
	for (size_t i = 0; err == -ENOENT && i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *candidate;

		if (asprintf(&candidate, forms[i], (int)(slash - path), path, name) < 0) {
			err = -ENOMEM;
			break;
		}
		err = open_debug(elf, root, candidate, &checksum, ret_debug);
		free(candidate);
	}
	free(name);
	return err;
}

int debug_file_find(const struct elf *elf, const struct root_fs *root, struct elf **ret_debug)
{
	int err = find_by_build_id(elf, root, ret_debug);

	return err == -ENOENT ? find_by_link(elf, root, ret_debug) : err;
}

/*
 * --- .gnu_debugdata ---
 *
 * An ELF file with a symbol table, xz-compressed, inside another one. It is unpacked into a file in memory, so that
 * everything else can treat it like any file. A few kilobytes can unfold to gigabytes, so both what the decoder may use
 * and what it may yield are limited.
 */

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

int debug_file_unpack(const struct elf *elf, struct elf **ret_debug)
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
