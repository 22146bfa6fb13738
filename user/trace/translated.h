/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Refuses what would end programs that a translator runs (system/translator.h), unless --harm-translators. Logs why. */
#include <sys/types.h>

#define TRANSLATED (-ECANCELED) /* refused, and logged */

struct binary;
struct tracer;

/* May this process be traced? 0 or TRANSLATED; another negative errno: it cannot be found out. */
int translated_check_process(const struct tracer *tracer, pid_t pid);

/* May a program be traced that is about to be executed? 0 or TRANSLATED. */
int translated_check_program(const struct tracer *tracer, const char *path);

/* May there be an unfiltered link on the file? 0, TRANSLATED, or another negative errno: it cannot be found out. */
int translated_check_file(struct tracer *tracer, struct binary *file);
