/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a user has to know about the probes of a file that has just got some. */
struct binary;
struct tracer;

void plan_note_say(const struct binary *file);

/* Say, once for each file, which functions could not be probed as they should, and whose malloc is taken for a wrapper. */
void plan_note_say_doubts(struct tracer *tracer);
