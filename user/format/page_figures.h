/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a view has beside its pictures: whose it is, the words of the terminal, totals, losses, cost (docs/formats.md). */
#include "base/json.h"
#include "format/page_view.h"
#include "view/overview.h"

/* Members of the object that is open, from "name" to "by". 0 or -ENOMEM. */
int page_figures_write(const struct page *page, const struct page_view *view, const struct overview *overview,
		       struct json *json);
