/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What every target program shares: it says that it stands ready and waits to be let go. Neither side ever sleeps to
 * find out where the other one is. Run by hand or as a traced command with no input, it goes on at once.
 */
#include <unistd.h>

static inline void target_await(void)
{
	char byte = 'r';

	if (write(STDOUT_FILENO, &byte, 1) != 1)
		_exit(99);
	if (read(STDIN_FILENO, &byte, 1) < 0)
		_exit(98);
}
