/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing trusts no byte of a name: the process whose mappings they are chooses its paths. */
#include "system/smaps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/stream.h"
#include "base/text.h"
#include "system/procfs.h"

/* "7f0000-7f1000 rw-p 00000000 00:00 0    name". False: it is no such line. */
static bool parse_head(const char *line, struct smaps_area *ret_area)
{
	u64 start, end, inode;
	char letters[5];
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64 "%n", &start, &end, letters, &inode,
		   &name) != 4 ||
	    start >= end || strlen(letters) != 4)
		return false;
	*ret_area = (struct smaps_area){
		.start = start,
		.end = end,
		.readable = letters[0] == 'r',
		.writable = letters[1] == 'w',
		.executable = letters[2] == 'x',
		.shared = letters[3] == 's',
		.file = inode != 0,
	};
	line += name + strspn(line + name, " ");
	snprintf(ret_area->name, sizeof(ret_area->name), "%.*s", (int)strcspn(line, "\n"), line);
	return true;
}

/* A field of the area that came last: "Rss:    4 kB", "VmFlags: rd wr nh". Unknown ones are ignored. */
static void parse_field(const char *line, struct smaps_area *area)
{
	const struct {
		const char *name;
		u64 *bytes;
	} fields[] = {
		{"Rss:", &area->resident},	     {"Pss:", &area->share},
		{"LazyFree:", &area->lazy},	     {"Swap:", &area->swap},
		{"Shared_Hugetlb:", &area->hugetlb}, {"Private_Hugetlb:", &area->hugetlb},
	};

	for (unsigned int i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		size_t length = strlen(fields[i].name);

		if (!strncmp(line, fields[i].name, length)) {
			*fields[i].bytes += strtoull(line + length, NULL, 10) * 1024;
			return;
		}
	}
	if (!strncmp(line, "VmFlags:", 8))
		area->stack = strstr(line, " nh");
}

int smaps_parse(FILE *in, struct smaps *ret_smaps)
{
	struct smaps smaps = {0};
	struct smaps_area area;
	char *line = NULL;
	size_t capacity = 0;
	int err = 0;

	while (!err && getline(&line, &capacity, in) > 0) {
		if (!parse_head(line, &area)) {
			if (smaps.count)
				parse_field(line, &smaps.areas[smaps.count - 1]);
			continue;
		}
		err = array_grow(&smaps.areas, smaps.count, 1);
		if (!err)
			smaps.areas[smaps.count++] = area;
	}
	if (!err)
		err = stream_read_failure(in);
	free(line);
	if (err)
		smaps_release(&smaps);
	*ret_smaps = smaps;
	return err;
}

void smaps_release(struct smaps *smaps)
{
	free(smaps->areas);
	*smaps = (struct smaps){0};
}

int smaps_open(pid_t pid)
{
	/* That of a main thread which has exited is empty. */
	pid_t tid = procfs_live_thread(pid);
	char path[PATH_MAX];
	int fd;

	if (!tid)
		return -ESRCH;
	fd = open(text_path(path, "/proc/%d/smaps", tid), O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int smaps_read(int fd, struct smaps *ret_smaps)
{
	FILE *in = fdopen(fd, "r");
	char byte;
	int err;

	*ret_smaps = (struct smaps){0};
	if (!in) {
		close(fd);
		return -ENOMEM;
	}
	err = smaps_parse(in, ret_smaps);
	/* Where the program went meanwhile, the text ends early; then its beginning is gone too. */
	if (!err && pread(fd, &byte, sizeof(byte), 0) != sizeof(byte))
		err = -ESRCH;
	if (err)
		smaps_release(ret_smaps);
	fclose(in);
	return err;
}
