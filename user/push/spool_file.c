/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define SUFFIX	  ".request"
#define DIGITS	  16
#define TEMPORARY "new" /* one is written at a time, as the directory is locked */

void spool_file_name(u64 number, char name[SPOOL_FILE_NAME_MAX])
{
	snprintf(name, SPOOL_FILE_NAME_MAX, "%016" PRIx64 SUFFIX, number);
}

bool spool_file_number(const char *name, u64 *ret_number)
{
	if (strspn(name, "0123456789abcdef") != DIGITS || strcmp(name + DIGITS, SUFFIX) != 0)
		return false;
	*ret_number = strtoull(name, NULL, 16);
	return true;
}

static u32 crc(u32 sum, const void *bytes, size_t size)
{
	return size ? (u32)crc32_z(sum, bytes, size) : sum; /* zlib takes NULL for a new beginning */
}

static u32 header_crc(const struct spool_header *header)
{
	return crc(0, header, offsetof(struct spool_header, header_crc));
}

/* --- writing --- */

static struct spool_header make_header(u64 number, const struct push_request *request)
{
	struct spool_header header = {
		.magic = SPOOL_MAGIC,
		.number = number,
		.body_size = request->size,
		.profiles = request->profiles,
		.samples = request->samples,
		.taken_ns = request->taken_ns,
		.path_length = (u16)strlen(request->path),
		.type_length = (u16)strlen(request->content_type),
		.gzip = request->gzip,
	};

	header.content_crc = crc(0, request->path, header.path_length);
	header.content_crc = crc(header.content_crc, request->content_type, header.type_length);
	header.content_crc = crc(header.content_crc, request->body, request->size);
	header.header_crc = header_crc(&header);
	return header;
}

static int write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t written = write(fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

static int write_parts(int fd, const struct spool_header *header, const struct push_request *request)
{
	int err = write_all(fd, header, sizeof(*header));

	if (!err)
		err = write_all(fd, request->path, header->path_length);
	if (!err)
		err = write_all(fd, request->content_type, header->type_length);
	if (!err)
		err = write_all(fd, request->body, request->size);
	return !err && fdatasync(fd) ? -errno : err;
}

int spool_file_write(int dir, u64 number, const struct push_request *request, u64 *ret_size)
{
	struct spool_header header;
	char name[SPOOL_FILE_NAME_MAX];
	int fd, err;

	if (strlen(request->path) > SPOOL_PATH_MAX || strlen(request->content_type) > SPOOL_TYPE_MAX)
		return -ENAMETOOLONG;
	header = make_header(number, request);
	spool_file_name(number, name);
	unlinkat(dir, TEMPORARY, 0);
	fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_parts(fd, &header, request);
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat(dir, TEMPORARY, dir, name))
		err = -errno;
	if (err) {
		unlinkat(dir, TEMPORARY, 0);
		return err;
	}
	*ret_size = sizeof(header) + header.path_length + header.type_length + header.body_size;
	/* A directory that cannot be flushed (some network file systems) has the file all the same. */
	fsync(dir);
	return 0;
}

/* --- reading --- */

static int read_all(int fd, void *bytes, size_t size)
{
	char *at = bytes;

	while (size) {
		ssize_t got = read(fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EBADMSG;
		at += got;
		size -= (size_t)got;
	}
	return 0;
}

static bool is_sound(const struct spool_header *header, u64 number, off_t size)
{
	return header->magic == SPOOL_MAGIC && header->header_crc == header_crc(header) && header->number == number &&
	       header->gzip <= 1 && header->body_size <= PUSH_BODY_MAX && header->path_length <= SPOOL_PATH_MAX &&
	       header->type_length <= SPOOL_TYPE_MAX &&
	       (u64)size == sizeof(*header) + header->path_length + header->type_length + header->body_size;
}

/* A descriptor behind the header, or negative errno. */
static int open_checked(int dir, u64 number, struct spool_header *header, u64 *ret_size)
{
	char name[SPOOL_FILE_NAME_MAX];
	struct stat status;
	int fd, err;

	spool_file_name(number, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &status))
		err = -errno;
	else if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_mode & 077 || status.st_nlink != 1)
		err = -EPERM;
	else
		err = read_all(fd, header, sizeof(*header));
	if (!err && !is_sound(header, number, status.st_size))
		err = -EBADMSG;
	if (!err) {
		*ret_size = (u64)status.st_size;
		return fd;
	}
	close(fd);
	return err;
}

int spool_file_check(int dir, u64 number, struct spool_header *ret_header, u64 *ret_size)
{
	int fd = open_checked(dir, number, ret_header, ret_size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* What stands there becomes part of a request: no control characters, which could end its line. */
static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length;
}

static bool is_type(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length;
}

/* Path and content type in one allocation. */
static int read_content(int fd, const struct spool_header *header, struct push_request *request)
{
	const size_t path = header->path_length, type = header->type_length;
	u32 sum;
	int err;

	request->path = calloc(1, path + 1 + type + 1);
	request->body = malloc(header->body_size ? header->body_size : 1);
	if (!request->path || !request->body)
		return -ENOMEM;
	err = read_all(fd, request->path, path);
	if (!err)
		err = read_all(fd, request->path + path + 1, type);
	if (!err)
		err = read_all(fd, request->body, header->body_size);
	if (err)
		return err;
	request->content_type = request->path + path + 1;
	sum = crc(crc(0, request->path, path), request->content_type, type);
	sum = crc(sum, request->body, header->body_size);
	return sum == header->content_crc && request->path[0] == '/' && is_printable(request->path, path) &&
			       is_type(request->content_type, type)
		       ? 0
		       : -EBADMSG;
}

int spool_file_read(int dir, u64 number, struct push_request *ret_request)
{
	struct spool_header header = {0};
	struct push_request request = {0};
	u64 size;
	int fd = open_checked(dir, number, &header, &size), err;

	if (fd < 0)
		return fd;
	err = read_content(fd, &header, &request);
	close(fd);
	if (err) {
		push_request_free(&request);
		return err;
	}
	request.gzip = header.gzip;
	request.size = header.body_size;
	request.profiles = header.profiles;
	request.samples = header.samples;
	request.taken_ns = header.taken_ns;
	*ret_request = request;
	return 0;
}
