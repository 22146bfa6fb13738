/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Why files have fewer names than they could: counted while names are looked up, said once at the end. */
#include "include/types.h"

enum name_gap {
	GAP_ALTERNATE, /* .gnu_debugaltlink leads to no file */
	GAP_PACKED,    /* sections are packed in a way that libelf does not know */
	GAP_SPLIT,     /* .dwo and .dwp files were not read */
	GAP_MAX
};

/* Valid when zeroed. */
struct name_gaps {
	struct {
		char path[256]; /* of the first file, cut */
		u32 files;
	} of[GAP_MAX];
	char text[512]; /* the last clause */
};

void name_gaps_add(struct name_gaps *gaps, enum name_gap gap, const char *path);

/* A clause for the user, valid until the next call; NULL: there is no such gap. */
const char *name_gaps_text(struct name_gaps *gaps, enum name_gap gap);
