/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short, since libbpf has one function for all of it. */
#include "trace/libbpf_log.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Line by line: the verifier's log is a single message. */
__attribute__((format(printf, 2, 0))) static int say(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *rest, *line;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (*line)
			log_detail("%s", line);
	free(text);
	return 0;
}

void libbpf_log_take(void)
{
	libbpf_set_print(say);
}
