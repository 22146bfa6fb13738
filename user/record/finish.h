/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The end of a recording, once tracing has stopped. */
#include "record/publish.h"

/*
 * Wait for what is being written, add every image that is left to the aggregate, write what is merged and index.json,
 * and print the summary on stderr, also when something cannot be written. STATUS_DONE; STATUS_FAILED with the reason
 * logged; or STATUS_FOUND by --fail-on, which is logged even with -q, being the answer to a question.
 */
int finish_recording(struct publication *publication);
