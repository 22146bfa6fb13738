/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file may be hostile. */
#include "format/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "include/types.h"

#define INDEX_SIZE_MAX (64u << 20)

/*
 * What the values of an index take in memory is some six times its text, and what becomes of a row twice the row. But a
 * value may have two bytes and a row three, and then both would be many times as much as any index needs.
 */
#define VALUE_BYTES_MIN	 8
#define OBJECT_BYTES_MIN 64
#define ALWAYS		 64

static bool is_plausible(const char *text, u64 size)
{
	u64 values = 0, objects = 0;
	bool quoted = false;

	for (u64 i = 0; i < size; i++) {
		if (quoted && text[i] == '\\') {
			i++;
			continue;
		}
		quoted ^= text[i] == '"';
		values += !quoted && (text[i] == ',' || text[i] == '[' || text[i] == '{');
		objects += !quoted && text[i] == '{';
	}
	return values <= ALWAYS + size / VALUE_BYTES_MIN && objects <= ALWAYS + size / OBJECT_BYTES_MIN;
}

static cJSON *parse(const char *path, const char *text, u64 size)
{
	cJSON *index;

	if (!is_plausible(text, size)) {
		log_note("'%s' is not used: it would take far more memory than an index of its size", path);
		return NULL;
	}
	errno = 0;
	index = cJSON_ParseWithLength(text, size);
	if (!index)
		log_note("'%s' is not used: %s", path,
			 errno == ENOMEM ? strerror(ENOMEM) : "it is truncated, or no JSON");
	return index;
}

/* Whole; NULL, which is said: it cannot be read. */
static char *read_text(int fd, const char *path, u64 size)
{
	char *text = malloc(size + 1);
	ssize_t got = text ? 0 : -1;
	u64 have = 0;

	while (text && have < size && (got = read(fd, text + have, size - have)) > 0)
		have += (u64)got;
	if (text && have == size)
		return text;
	log_note("'%s' is not used: %s", path, got < 0 ? strerror(errno) : "it has just become shorter");
	free(text);
	return NULL;
}

cJSON *index_read(const char *directory)
{
	char path[PATH_MAX], *text = NULL;
	struct stat status;
	cJSON *index = NULL;
	int fd = open(text_path(path, "%s/index.json", directory), O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &status)) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_note("'%s' is not used: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(status.st_mode))
		goto out;
	if (status.st_size > INDEX_SIZE_MAX) {
		log_note("'%s' is not used: it is larger than 64 MiB", path);
		goto out;
	}
	if (status.st_size)
		text = read_text(fd, path, (u64)status.st_size);
	if (text)
		index = parse(path, text, (u64)status.st_size);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return index;
}
