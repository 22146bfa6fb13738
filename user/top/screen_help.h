/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the keys do and what the columns mean. */
#include "top/frame.h"
#include "top/rows.h"

/* All lines, however many. */
void screen_help_put(enum level level, struct frame *frame);
