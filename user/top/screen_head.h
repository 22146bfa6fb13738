/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The lines above the table: who, and how much in all. */
#include "top/screen.h"

/* As many lines as there are above the table's own head on a screen of `lines` (0: no limit). */
u32 screen_head_lines(enum level level, u32 lines);

void screen_head_put(const struct screen_state *state, const struct screen_content *content, u32 lines,
		     struct frame *frame);
