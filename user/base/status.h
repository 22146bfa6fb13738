/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What heaptap exits with, as heaptap(8) documents it; what a room that speaks to the user returns. */

enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1, /* failed while running; what was captured is written */
	STATUS_USAGE = 2,
	STATUS_UNSUPPORTED = 3, /* this kernel or these privileges cannot do it */
	STATUS_NO_TARGET = 4,
	STATUS_FOUND = 5,	     /* --fail-on found what it was to look for */
	STATUS_COMMAND_FAILED = 125, /* record -- COMMAND: heaptap's own failure */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};
