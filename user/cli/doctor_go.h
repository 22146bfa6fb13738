/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What `doctor` says of programs that keep a heap profile of themselves. */
struct binaries;

enum doctor_go {
	DOCTOR_GO_NONE,	  /* no program of Go's is among the files; nothing was printed */
	DOCTOR_GO_READ,	  /* its own profile would be read */
	DOCTOR_GO_UNREAD, /* it would not, and a line says why */
};

/* A line for the program of Go's among the files, if there is one. */
enum doctor_go doctor_go_print(const struct binaries *binaries);
