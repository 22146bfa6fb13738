/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a user has to know about the probes of a file that has just got some. */
struct binary;

void plan_note_say(const struct binary *file);
