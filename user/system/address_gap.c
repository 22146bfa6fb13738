/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/address_gap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "system/procfs.h"

#define PAGE	   4096ULL
#define LOWEST	   (1ULL << 20) /* vm.mmap_min_addr is 64 KiB */
#define HEAP_ROOM  (1ULL << 30) /* for the heap to grow */
#define STACK_ROOM (1ULL << 32) /* and for the stack */

struct gap_search {
	const struct gap_request *request;
	u64 distance; /* of the best one */
	u64 address;  /* of it; 0: none yet */
};

static u64 span(const struct gap_request *request, u64 address)
{
	u64 low = address < request->start ? address : request->start;
	u64 high = address + request->bytes > request->end ? address + request->bytes : request->end;

	return high - low;
}

static void consider(struct gap_search *search, u64 address)
{
	u64 distance = span(search->request, address);

	if (distance > search->request->reach || (search->address && distance >= search->distance))
		return;
	search->address = address;
	search->distance = distance;
}

/* Either end of the free memory [start, end) may be the nearest to something. */
static void consider_both(struct gap_search *search, u64 start, u64 end)
{
	u64 bytes = search->request->bytes;

	if (end < start || end - start < bytes + 2 * PAGE)
		return;
	consider(search, start + PAGE);
	consider(search, end - PAGE - bytes);
}

/* [start, end) without the heap's [from, to). */
static void consider_around(struct gap_search *search, u64 start, u64 end, u64 from, u64 to)
{
	if (to <= start || from >= end) {
		consider_both(search, start, end);
		return;
	}
	consider_both(search, start, from);
	consider_both(search, to, end);
}

/* The next line's addresses, and its text. */
static const char *next_line(const char **cursor, u64 *ret_start, u64 *ret_end)
{
	const char *line = *cursor, *next = strchr(line, '\n');
	unsigned long start, end;

	*cursor = next ? next + 1 : line + strlen(line);
	if (!*line || sscanf(line, "%lx-%lx", &start, &end) != 2)
		return NULL;
	*ret_start = start;
	*ret_end = end;
	return line;
}

static bool is_named(const char *line, const char *name)
{
	const char *found = strstr(line, name);

	return found && found < line + strcspn(line, "\n");
}

static u64 heap_end(const char *maps, u64 heap)
{
	u64 start, end;
	const char *line;

	while ((line = next_line(&maps, &start, &end)))
		if (is_named(line, " [heap]"))
			return end;
	return heap;
}

u64 address_gap_choose(const char *maps, const struct gap_request *request)
{
	struct gap_search search = {.request = request};
	u64 last = LOWEST, start, end, heap_room = heap_end(maps, request->heap) + HEAP_ROOM;
	const char *line;

	while ((line = next_line(&maps, &start, &end))) {
		bool stack = is_named(line, " [stack]");

		consider_around(&search, last, stack && start > STACK_ROOM ? start - STACK_ROOM : start, request->heap,
				heap_room);
		if (stack)
			break;
		last = end;
	}
	return search.address;
}

/* The whole text, allocated; NULL: the process is gone, or no memory. */
static char *read_maps(pid_t pid)
{
	char path[PATH_MAX], *text = NULL;
	int fd = open(text_path(path, "/proc/%d/maps", pid), O_RDONLY | O_CLOEXEC);
	size_t size = 0, room = 0;
	ssize_t more;

	do {
		char *grown = room - size > PAGE ? text : realloc(text, room = 2 * room + 2 * PAGE);

		more = grown ? read(fd, grown + size, room - size - 1) : -1;
		text = grown ? grown : text;
		size += more > 0 ? (size_t)more : 0;
	} while (more > 0);
	if (fd >= 0)
		close(fd);
	if (more < 0 || !size) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

int address_gap_find(pid_t pid, struct gap_request *request, u64 *ret_address)
{
	char *maps = read_maps(pid);

	if (!maps)
		return -ESRCH;
	request->heap = procfs_heap_start(pid);
	*ret_address = address_gap_choose(maps, request);
	free(maps);
	return *ret_address ? 0 : -ENOSPC;
}
