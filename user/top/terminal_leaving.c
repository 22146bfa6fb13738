/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/terminal_leaving.h"

#include <curses.h>
#include <term.h>
#include <unistd.h>

static char *to;
static size_t used;

static int keep(int byte)
{
	if (used < TERMINAL_LEAVING_SIZE)
		to[used++] = (char)byte;
	return byte;
}

bool terminal_is_known(void)
{
	int why;

	return setupterm(NULL, STDOUT_FILENO, &why) == OK;
}

size_t terminal_leaving(char bytes[TERMINAL_LEAVING_SIZE])
{
	const char *const strings[] = {exit_attribute_mode, cursor_normal, keypad_local, exit_ca_mode};

	to = bytes;
	used = 0;
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		if (strings[i])
			tputs(strings[i], 1, keep);
	return used;
}
