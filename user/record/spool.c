/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file has no name, so that nothing is left of it whatever becomes of heaptap. */
#include "record/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

#include "base/stream.h"

FILE *spool_open(int dir)
{
	/* Read and written by heaptap alone, whatever the files beside it may be for. */
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *spool;

	/* Not every file system has files without a name. */
	if (fd < 0)
		return tmpfile();
	spool = fdopen(fd, "w+");
	if (!spool)
		close(fd);
	return spool;
}

bool spool_keep(FILE *spool, off_t whole)
{
	if (!stream_flush(spool))
		return true;
	__fpurge(spool);
	clearerr(spool);
	if (ftruncate(fileno(spool), whole))
		whole = 0;
	fseeko(spool, whole, SEEK_SET);
	return false;
}

int spool_print(FILE *spool, FILE *out)
{
	int err = stream_flush(spool);
	char chunk[4096];
	size_t size;

	rewind(spool);
	/* Who reads `out` may have gone, as with any message. */
	while ((size = fread(chunk, 1, sizeof(chunk), spool)) > 0)
		fwrite(chunk, 1, size, out);
	if (ferror(spool) && !err)
		err = -EIO;
	fclose(spool);
	return err;
}
