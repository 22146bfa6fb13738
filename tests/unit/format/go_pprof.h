/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The real `go tool pprof`, whose absence is a failure, in the scratch directory. */
#include <stdarg.h>
#include <stdio.h>

#include "unit/profile/golden.h"

/* What it prints, for the caller to free. Fails the test, with its complaints, when it fails or prints nothing. */
__attribute__((format(printf, 1, 2))) static inline char *go_pprof(const char *arguments, ...)
{
	char words[512], command[1024], *said = NULL;
	bool silent;
	size_t room = 0;
	va_list args;
	FILE *in;

	va_start(args, arguments);
	vsnprintf(words, sizeof(words), arguments, args);
	va_end(args);
	snprintf(command, sizeof(command), "go tool pprof %s 2>stderr", words);
	in = popen(command, "re");
	assert_non_null(in);
	silent = getdelim(&said, &room, '\0', in) < 0;
	if (pclose(in) || silent)
		fail_msg("%s\n%s%s", command, silent ? "" : said, golden_read("stderr"));
	return said;
}
