/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

uint64_t memory_kb(const struct session *session, const char *field)
{
	FILE *file = fopen(format("/proc/%d/status", session->child.pid), "re");
	unsigned long kb = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)) && sscanf(line + strlen(field), ": %lu", &kb) == 1)
			break;
	if (file)
		fclose(file);
	assert_true(kb > 0);
	return kb;
}

uint64_t memory_await_below(const struct session *session, uint64_t kb_max)
{
	uint64_t until_ns = deadline_ns(), kb;

	while ((kb = memory_kb(session, "RssAnon")) >= kb_max && now_ns() < until_ns)
		usleep(10000);
	return kb;
}
