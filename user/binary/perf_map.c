/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A perf map has a line "START SIZE name" for every function, in hexadecimal, in the order in which they were made;
 * memory is used again, so that a later line overrules an earlier one. Any user may write to its directory, so it must
 * belong to the user of the process. Owns the text, whose lines become the names, and the pieces that are left of the functions,
 * sorted and without overlap.
 */
#include "binary/perf_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "system/root_fs.h"

#define TEXT_BYTES_MAX ((u64)64 << 20)
#define FUNCTIONS_MAX  (1u << 20)
#define NO_OWNER       UINT32_MAX

struct function {
	u64 start, end;
	const char *name;
};

struct perf_map {
	char *text;
	struct function *functions; /* as in the file */
	u64 *edges;		    /* where functions begin or end, sorted, each once */
	u32 *owners;		    /* the function from that edge to the next, or NO_OWNER */
	u32 function_count, edge_count;
};

void perf_map_free(struct perf_map *perfmap)
{
	if (!perfmap)
		return;
	free(perfmap->text);
	free(perfmap->functions);
	free(perfmap->edges);
	free(perfmap->owners);
	free(perfmap);
}

/* A number and the blank behind it. */
static bool parse_number(char **cursor, u64 *ret_number)
{
	char *end;

	if (**cursor == '-' || **cursor == '+' || **cursor == ' ')
		return false;
	errno = 0;
	*ret_number = strtoull(*cursor, &end, 16);
	if (errno || end == *cursor || *end != ' ')
		return false;
	*cursor = end + 1;
	return true;
}

/* Lines of another form are skipped: the process may be writing the last one. */
static bool parse_line(char *line, struct function *ret_function)
{
	u64 start, size;

	if (!parse_number(&line, &start) || !parse_number(&line, &size) || !*line || !size || size > UINT64_MAX - start)
		return false;
	*ret_function = (struct function){.start = start, .end = start + size, .name = line};
	return true;
}

static u32 count_lines(const char *text)
{
	u32 count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

static int parse(struct perf_map *perfmap)
{
	u32 count = count_lines(perfmap->text);
	char *line = perfmap->text, *end;

	if (count > FUNCTIONS_MAX)
		return -EFBIG;
	perfmap->functions = calloc(count + 1UL, sizeof(*perfmap->functions));
	if (!perfmap->functions)
		return -ENOMEM;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (parse_line(line, &perfmap->functions[perfmap->function_count]))
			perfmap->function_count++;
	}
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void sort_edges(struct perf_map *perfmap)
{
	u32 kept = 0;

	for (u32 i = 0; i < perfmap->function_count; i++) {
		perfmap->edges[2 * i] = perfmap->functions[i].start;
		perfmap->edges[2 * i + 1] = perfmap->functions[i].end;
	}
	qsort(perfmap->edges, 2UL * perfmap->function_count, sizeof(*perfmap->edges), compare_u64);
	for (u32 i = 0; i < 2 * perfmap->function_count; i++)
		if (!kept || perfmap->edges[kept - 1] != perfmap->edges[i])
			perfmap->edges[kept++] = perfmap->edges[i];
	perfmap->edge_count = kept;
}

/* The number of edges at or below `address`. */
static u32 edges_upto(const struct perf_map *perfmap, u64 address)
{
	return (u32)array_count_upto(perfmap->edges, perfmap->edge_count, address);
}

/* The first piece from `piece` on without an owner; next[] leads there, and is shortened for later calls. */
static u32 find_free(u32 *next, u32 piece)
{
	u32 found = piece;

	while (next[found] != found)
		found = next[found];
	while (next[piece] != found) {
		u32 behind = next[piece];

		next[piece] = found;
		piece = behind;
	}
	return found;
}

/* From the last function to the first, each takes those of its pieces that no later one has. */
static int assign_pieces(struct perf_map *perfmap)
{
	u32 *next = calloc(perfmap->edge_count + 1UL, sizeof(*next));

	perfmap->owners = calloc(perfmap->edge_count + 1UL, sizeof(*perfmap->owners));
	if (!next || !perfmap->owners) {
		free(next);
		return -ENOMEM;
	}
	for (u32 i = 0; i <= perfmap->edge_count; i++) {
		next[i] = i;
		perfmap->owners[i] = NO_OWNER;
	}
	for (u32 i = perfmap->function_count; i-- > 0;) {
		u32 end = edges_upto(perfmap, perfmap->functions[i].end) - 1;
		u32 piece = find_free(next, edges_upto(perfmap, perfmap->functions[i].start) - 1);

		for (; piece < end; piece = find_free(next, piece)) {
			perfmap->owners[piece] = i;
			next[piece] = piece + 1;
		}
	}
	free(next);
	return 0;
}

static int read_text(int fd, u64 size, char **ret_text)
{
	char *text = malloc(size + 1);
	u64 done = 0;

	if (!text)
		return -ENOMEM;
	while (done < size) {
		ssize_t count = pread(fd, text + done, size - done, (off_t)done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		done += (u64)count;
	}
	text[done] = '\0';
	*ret_text = text;
	return 0;
}

static int load(int fd, u64 size, struct perf_map *perfmap)
{
	int err = read_text(fd, size, &perfmap->text);

	if (!err)
		err = parse(perfmap);
	if (err)
		return err;
	perfmap->edges = calloc(2UL * perfmap->function_count + 1, sizeof(*perfmap->edges));
	if (!perfmap->edges)
		return -ENOMEM;
	sort_edges(perfmap);
	return assign_pieces(perfmap);
}

static const char *reason(int err)
{
	switch (err) {
	case -ELOOP:
		return "it is, or lies behind, a symbolic link";
	case -EINVAL:
		return "it is no regular file";
	case -EFBIG:
		return "it is over 64 MiB or has over 1048576 lines";
	case -EPERM:
		return "it belongs to another user than the process";
	default:
		return "it cannot be opened";
	}
}

int perf_map_open(const struct root_fs *root, struct perf_map **ret_perfmap, const char **ret_refused)
{
	struct perf_map *perfmap;
	struct stat status;
	char path[64];
	int fd, err;

	*ret_perfmap = NULL;
	*ret_refused = NULL;
	if (root->fd >= 0 && !root->inner_pid) {
		*ret_refused = "whose the process is could not be read";
		return 0;
	}
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", root->inner_pid);
	fd = root_fs_open_file(root, path, ROOT_LINKS_NONE, TEXT_BYTES_MAX, &status);
	if (fd < 0) {
		*ret_refused = fd == -ENOENT ? NULL : reason(fd);
		return 0;
	}
	perfmap = calloc(1, sizeof(*perfmap));
	if (!perfmap)
		err = -ENOMEM;
	else
		err = status.st_uid == root->uid ? load(fd, (u64)status.st_size, perfmap) : -EPERM;
	close(fd);
	if (!err) {
		*ret_perfmap = perfmap;
		return 0;
	}
	perf_map_free(perfmap);
	if (err == -ENOMEM)
		return err;
	*ret_refused = reason(err);
	return 0;
}

const char *perf_map_find(const struct perf_map *perfmap, u64 address, u64 *ret_start)
{
	u32 edge = edges_upto(perfmap, address);
	const struct function *function;

	if (!edge || perfmap->owners[edge - 1] == NO_OWNER)
		return NULL;
	function = &perfmap->functions[perfmap->owners[edge - 1]];
	*ret_start = function->start;
	return function->name;
}
