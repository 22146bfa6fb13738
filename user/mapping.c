/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executable mappings of one image, old ones included. The table owns the mappings and their paths; the files are
 * borrowed. Filled by tracer (scan) and ring (side-band) through the recorder, asked by stack and profile.
 *
 * Mappings overlap, since an outdated one stays. An index sorted by start carries, for every row, the highest end and
 * the newest begin of all rows up to it, so that a search going down from the address knows when nothing better can
 * follow: at once in the usual case of disjoint mappings, and after the first hit where libraries come and go at one
 * address.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mapping.h"

#define DELETED_SUFFIX " (deleted)"
#define ANONYMOUS_PATH "//anon" /* as the perf side-band names them */

struct row {
	const struct mapping *mapping;
	u32 serial;	  /* its place in the table: of two begun at one time the later is the newer */
	u64 highest_end;  /* of this row and all before it */
	u64 newest_begin; /* likewise */
};

struct mapping_table {
	struct mapping *
		*mappings; /* in the order they were added; each allocated by itself, so that pointers stay valid */
	struct row *rows;  /* sorted by start, then begin, then serial */
	u32 count;
	u32 capacity;
};

struct mapping_table *mapping_table_new(void)
{
	return calloc(1, sizeof(struct mapping_table));
}

static void mapping_free(struct mapping *mapping)
{
	if (!mapping)
		return;
	free(mapping->path);
	free(mapping);
}

void mapping_table_free(struct mapping_table *table)
{
	if (!table)
		return;
	for (u32 i = 0; i < table->count; i++)
		mapping_free(table->mappings[i]);
	free(table->mappings);
	free(table->rows);
	free(table);
}

static int mapping_copy(const struct mapping *mapping, struct mapping **ret_copy)
{
	struct mapping *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *mapping;
	copy->path = strdup(mapping->path ? mapping->path : ANONYMOUS_PATH);
	if (!copy->path) {
		free(copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

static int table_reserve(struct mapping_table *table)
{
	u32 capacity = table->capacity > 0 ? table->capacity * 2 : 64;
	struct mapping **mappings;
	struct row *rows;

	if (table->count < table->capacity)
		return 0;
	if (table->count == MAPPINGS_MAX)
		return -ENOSPC;
	mappings = reallocarray(table->mappings, capacity, sizeof(struct mapping *));
	if (!mappings)
		return -ENOMEM;
	table->mappings = mappings;
	rows = reallocarray(table->rows, capacity, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	table->capacity = capacity;
	return 0;
}

/* The first row whose start lies above `addr`. */
static u32 rows_above(const struct mapping_table *table, u64 addr)
{
	u32 low = 0, high = table->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (table->rows[middle].mapping->start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void rows_insert(struct mapping_table *table, const struct mapping *mapping)
{
	u32 place = rows_above(table, mapping->start);

	while (place > 0 && table->rows[place - 1].mapping->start == mapping->start &&
	       table->rows[place - 1].mapping->from_ns > mapping->from_ns)
		place--;
	memmove(&table->rows[place + 1], &table->rows[place], (table->count - place) * sizeof(*table->rows));
	table->rows[place].mapping = mapping;
	table->rows[place].serial = table->count;
	for (u32 i = place; i <= table->count; i++) {
		struct row *row = &table->rows[i];
		const struct row *below = i > 0 ? row - 1 : NULL;

		row->highest_end = row->mapping->end;
		row->newest_begin = row->mapping->from_ns;
		if (below && below->highest_end > row->highest_end)
			row->highest_end = below->highest_end;
		if (below && below->newest_begin > row->newest_begin)
			row->newest_begin = below->newest_begin;
	}
}

int mapping_table_add(struct mapping_table *table, const struct mapping *mapping)
{
	struct mapping *copy;
	int err;

	err = table_reserve(table);
	if (!err)
		err = mapping_copy(mapping, &copy);
	if (err)
		return err;
	copy->index = table->count;
	rows_insert(table, copy);
	table->mappings[table->count++] = copy;
	return 0;
}

static bool is_newer(const struct row *row, const struct row *than)
{
	if (row->mapping->from_ns != than->mapping->from_ns)
		return row->mapping->from_ns > than->mapping->from_ns;
	return row->serial > than->serial;
}

const struct mapping *mapping_table_find(const struct mapping_table *table, u64 ip, u64 time_ns)
{
	const struct row *best = NULL;

	for (u32 i = rows_above(table, ip); i > 0; i--) {
		const struct row *row = &table->rows[i - 1];

		if (row->highest_end <= ip || (best && row->newest_begin < best->mapping->from_ns))
			break;
		if (row->mapping->end <= ip || row->mapping->from_ns > time_ns)
			continue;
		if (!best || is_newer(row, best))
			best = row;
	}
	return best ? best->mapping : NULL;
}

unsigned int mapping_table_count(const struct mapping_table *table)
{
	return table->count;
}

const struct mapping *mapping_table_get(const struct mapping_table *table, unsigned int index)
{
	return table->mappings[index];
}

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

/* The rest of the line with newlines restored and the kernel's mark of a deleted file cut. */
static char *parse_path(const char *text, bool *ret_deleted)
{
	size_t length, suffix = strlen(DELETED_SUFFIX);
	char *path, *to;

	text += strspn(text, " ");
	length = strcspn(text, "\n");
	if (length == 0)
		return strdup(ANONYMOUS_PATH);
	*ret_deleted = length > suffix && memcmp(text + length - suffix, DELETED_SUFFIX, suffix) == 0;
	if (*ret_deleted)
		length -= suffix;
	path = strndup(text, length);
	if (!path)
		return NULL;
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
