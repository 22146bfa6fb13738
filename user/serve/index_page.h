/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The page for people, without a script: what is traced, with links. */
#include "live/source.h"
#include "serve/answer.h"
#include "serve/request.h"

/* Processes, containers, and where everything is. */
struct answer *index_page_answer(const struct source_listing *listing);

/* The style sheet of both. */
struct answer *index_page_style(void);
