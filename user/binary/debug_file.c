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

#include "base/text.h"
#include "binary/elf.h"
#include "system/root_fs.h"

#define DEBUG_DIRECTORY "/usr/lib/debug"
#define FILE_BYTES_MAX	((u64)4 << 30)
#define LINK_BYTES_MAX	4096
#define ID_BYTES_MIN	2 /* one names the directory */

#define PACKED_BYTES_MAX   ((size_t)32 << 20)
#define UNPACKED_BYTES_MAX ((u64)64 << 20)
#define DECODER_BYTES_MAX  ((u64)72 << 20) /* xz -9 asks for 65 MiB */

struct build_id debug_file_id(const struct elf *elf)
{
	struct build_id id;
	const u8 *bytes = elf_build_id(elf, &id.size);

	if (bytes)
		memcpy(id.bytes, bytes, id.size);
	return id;
}

static bool has_id(const struct elf *elf, const struct build_id *id)
{
	unsigned int size;
	const u8 *bytes = elf_build_id(elf, &size);

	return size && size == id->size && !memcmp(bytes, id->bytes, size);
}

bool debug_file_fits(const struct elf *elf, const struct elf *debug)
{
	const struct build_id id = debug_file_id(elf);

	return has_id(debug, &id);
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

/* An error that is no want of memory is a file that is not there. */
static int open_elf(int fd, const char *path, struct elf **ret_debug)
{
	int err = fd < 0 ? -ENOENT : elf_open_debug(fd, path, ret_debug);

	return err && err != -ENOMEM ? -ENOENT : err;
}

int debug_file_open(const struct build_id *id, int fd, const char *path, struct elf **ret_debug)
{
	struct elf *debug;
	int err = open_elf(fd, path, &debug);

	if (err)
		return err;
	if (!has_id(debug, id)) {
		elf_free(debug);
		return -ENOENT;
	}
	*ret_debug = debug;
	return 0;
}

static int open_path(const struct root_fs *root, const char *path)
{
	return root_fs_open_file(root, path, ROOT_LINKS_INSIDE, FILE_BYTES_MAX, NULL);
}

static int find_by_build_id(const struct build_id *id, const struct root_fs *root, struct elf **ret_debug)
{
	char path[sizeof(DEBUG_DIRECTORY "/.build-id/") + 2 * BUILD_ID_MAX + sizeof("/.debug")];
	int length;

	if (id->size < ID_BYTES_MIN)
		return -ENOENT;
	length = snprintf(path, sizeof(path), DEBUG_DIRECTORY "/.build-id/%02x/", id->bytes[0]);
	for (unsigned int i = 1; i < id->size; i++)
		length += snprintf(path + length, sizeof(path) - (size_t)length, "%02x", id->bytes[i]);
	snprintf(path + length, sizeof(path) - (size_t)length, ".debug");
	return debug_file_open(id, open_path(root, path), path, ret_debug);
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

static int open_linked(const struct elf *elf, const struct root_fs *root, const char *path, u32 checksum,
		       struct elf **ret_debug)
{
	struct elf *debug;
	int err = open_elf(open_path(root, path), path, &debug);

	if (err)
		return err;
	if (!linked_fits(elf, debug, checksum)) {
		elf_free(debug);
		return -ENOENT;
	}
	*ret_debug = debug;
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
		err = open_linked(elf, root, candidate, checksum, ret_debug);
		free(candidate);
	}
	free(name);
	return err;
}

int debug_file_find(const struct elf *elf, const struct root_fs *root, struct elf **ret_debug)
{
	const struct build_id id = debug_file_id(elf);
	int err = find_by_build_id(&id, root, ret_debug);

	return err == -ENOENT ? find_by_link(elf, root, ret_debug) : err;
}

/* --- .gnu_debugaltlink --- */

int debug_file_read_alternate(const struct elf *file, struct alternate_link *ret_link)
{
	u64 size, length;
	u8 *bytes;
	int err = elf_read_section(file, ".gnu_debugaltlink", LINK_BYTES_MAX, &bytes, &size, NULL);

	if (err)
		return err == -ENOMEM ? err : -ENOENT;
	length = strnlen((char *)bytes, size);
	if (!length || size - length < 1 + ID_BYTES_MIN || size - length - 1 > BUILD_ID_MAX) {
		free(bytes);
		return -ENOENT;
	}
	ret_link->path = (char *)bytes;
	ret_link->id.size = (unsigned int)(size - length - 1);
	memcpy(ret_link->id.bytes, bytes + length + 1, ret_link->id.size);
	return 0;
}

/* `name`, if it is absolute, else that from `directory`, of which `length` bytes count. NULL: no memory. */
static char *path_from(const char *directory, int length, const char *name)
{
	char *path;

	if (name[0] == '/')
		return strdup(name);
	return asprintf(&path, "%.*s/%s", length, directory, name) < 0 ? NULL : path;
}

/* The same from the directory that `file` is in. */
static char *path_beside(const struct elf *file, const char *name)
{
	const char *slash = strrchr(elf_path(file), '/');

	return path_from(elf_path(file), slash ? (int)(slash - elf_path(file)) : 0, name);
}

/* A path may lead to any file, but only a debug file of the right build is used, and no link leads out of the root. */
int debug_file_find_alternate(const struct alternate_link *link, const struct elf *file, const struct root_fs *root,
			      struct elf **ret_alternate)
{
	static const char distribution[] = DEBUG_DIRECTORY "/.dwz";
	int err = find_by_build_id(&link->id, root, ret_alternate);
	char *paths[] = {path_beside(file, link->path),
			 path_from(distribution, sizeof(distribution) - 1, text_base_name(link->path))};

	for (size_t i = 0; err == -ENOENT && i < sizeof(paths) / sizeof(paths[0]); i++)
		err = paths[i] ? debug_file_open(&link->id, open_path(root, paths[i]), paths[i], ret_alternate)
			       : -ENOMEM;
	free(paths[0]);
	free(paths[1]);
	return err;
}

/* --- split DWARF --- */

int debug_file_find_split(const struct elf *file, const char *directory, const char *name, const struct root_fs *root,
			  struct elf **ret_split)
{
	char *paths[] = {path_from(directory ? directory : "", directory ? (int)strlen(directory) : 0, name),
			 path_beside(file, name), path_beside(file, text_base_name(name))};
	int err = -ENOENT;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (err == -ENOENT)
			err = paths[i] ? open_elf(open_path(root, paths[i]), paths[i], ret_split) : -ENOMEM;
		free(paths[i]);
	}
	return err;
}

int debug_file_find_package(const struct elf *file, const struct root_fs *root, struct elf **ret_package)
{
	char *path = NULL;
	int err;

	if (asprintf(&path, "%s.dwp", elf_path(file)) < 0)
		return -ENOMEM;
	err = open_elf(open_path(root, path), path, ret_package);
	free(path);
	return err;
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
