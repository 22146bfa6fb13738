/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A recording on disk as a source: its directory, or one .pb.gz. Its index.json says what there is; without one, the profiles do. */
#include "live/source.h"

/* STATUS_DONE with the source; or the status to return, with the reason logged. */
int recorded_open(const char *path, struct source **ret_source);
