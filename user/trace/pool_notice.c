/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/pool_notice.h"

#include "base/log.h"
#include "base/status.h"
#include "probe/pool_check.h"
#include "trace/tracer_internal.h"

int pool_notice_check(const struct tracer *tracer)
{
	char why[POOL_CHECK_TEXT];

	if (!pool_check_lacks(tracer->binaries, tracer->pools, why))
		return STATUS_DONE;
	log_error("%s", why);
	return STATUS_USAGE;
}

void pool_notice_unmapped(const struct tracer *tracer)
{
	char text[POOL_CHECK_TEXT];

	for (const struct custom_allocator *pool = tracer->pools; pool; pool = pool->next)
		if (!pool->seen)
			log_note(
				"--alloc %s: no file of that name is mapped now%s; its functions are probed when one is",
				pool->file, pool_check_nearest_file(tracer->binaries, pool, text));
}

void pool_notice_end(const struct tracer *tracer)
{
	char text[POOL_CHECK_TEXT];

	for (const struct custom_allocator *pool = tracer->pools; pool; pool = pool->next)
		if (!pool->seen)
			log_error(
				"--alloc %s: no process has mapped a file of that name%s, so nothing of it was recorded",
				pool->file, pool_check_nearest_file(tracer->binaries, pool, text));
	if (pool_check_lacks(tracer->binaries, tracer->pools, text))
		log_error("%s; the recording is without it", text);
}
