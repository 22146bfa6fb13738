/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Shell commands: compilers and binutils. */
#include <stdio.h>
#include <stdlib.h>

/* Fails the test when the command does. */
__attribute__((format(printf, 1, 2))) static inline void run(const char *format, ...)
{
	char command[4096];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_in_range(length, 1, sizeof(command) - 1);
	if (system(command))
		fail_msg("failed: %s", command);
}
