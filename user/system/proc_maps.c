/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of /proc/PID/maps, which anybody may have made up; used by procfs. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "system/address_map.h"

#define DELETED_SUFFIX " (deleted)"

/* A number that ends exactly in front of `terminator`, which is consumed too. */
static bool parse_number(const char **cursor, unsigned int base, char terminator, u64 *ret_number)
{
	const char *digit = *cursor;
	u64 number = 0;

	for (; isxdigit((unsigned char)*digit); digit++) {
		unsigned int value = isdigit((unsigned char)*digit) ? (unsigned int)(*digit - '0')
								    : (unsigned int)(tolower(*digit) - 'a') + 10;

		if (value >= base || __builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, value, &number))
			return false;
	}
	if (digit == *cursor || *digit != terminator)
		return false;
	*cursor = digit + 1;
	*ret_number = number;
	return true;
}

/* Four letters and a space. */
static bool parse_permissions(const char **cursor, bool *ret_executable)
{
	const char *letters = *cursor;

	if ((letters[0] != 'r' && letters[0] != '-') || (letters[1] != 'w' && letters[1] != '-') ||
	    (letters[2] != 'x' && letters[2] != '-') || (letters[3] != 'p' && letters[3] != 's') || letters[4] != ' ')
		return false;
	*cursor = letters + 5;
	*ret_executable = letters[2] == 'x';
	return true;
}

bool mapping_cut_deleted(char *path)
{
	size_t length = strlen(path), suffix = strlen(DELETED_SUFFIX);
	bool deleted = length > suffix && strcmp(path + length - suffix, DELETED_SUFFIX) == 0;

	if (deleted)
		path[length - suffix] = '\0';
	return deleted;
}

/* The rest of the line with newlines restored and the kernel's mark of a deleted file cut. */
static char *parse_path(const char *text, bool *ret_deleted)
{
	size_t length;
	char *path, *to;

	text += strspn(text, " ");
	length = strcspn(text, "\n");
	if (length == 0)
		return strdup(MAPPING_ANONYMOUS);
	path = strndup(text, length);
	if (!path)
		return NULL;
	*ret_deleted = mapping_cut_deleted(path);
	to = path;
	for (const char *from = path; *from; to++) {
		bool newline = strncmp(from, "\\012", 4) == 0;

		*to = newline ? '\n' : *from;
		from += newline ? 4 : 1;
	}
	*to = '\0';
	return path;
}

int mapping_parse(const char *line, struct mapping *ret_mapping)
{
	struct mapping mapping = {0};
	u64 major_number, minor_number, inode;
	bool executable;

	if (!parse_number(&line, 16, '-', &mapping.start) || !parse_number(&line, 16, ' ', &mapping.end) ||
	    mapping.start >= mapping.end || !parse_permissions(&line, &executable))
		return -EINVAL;
	if (!executable)
		return -ENOENT;
	if (!parse_number(&line, 16, ' ', &mapping.file_offset) || !parse_number(&line, 16, ':', &major_number) ||
	    !parse_number(&line, 16, ' ', &minor_number) || !parse_number(&line, 10, ' ', &inode) ||
	    major_number > UINT32_MAX || minor_number > UINT32_MAX)
		return -EINVAL;
	mapping.device = makedev((unsigned int)major_number, (unsigned int)minor_number);
	mapping.inode = (ino_t)inode;
	mapping.path = parse_path(line, &mapping.deleted);
	if (!mapping.path)
		return -ENOMEM;
	*ret_mapping = mapping;
	return 0;
}
