/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/name_gaps.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

static const char *const reasons[GAP_MAX] = {
	[GAP_ALTERNATE] = "the debug file that has what several share (dwz -m, .gnu_debugaltlink) is not there",
	[GAP_PACKED] = "its debug information is packed in a way that this libelf does not know (zstd needs 0.189)",
	[GAP_SPLIT] = "inlined functions are in .dwo or .dwp files, which could not be read",
};

void name_gaps_add(struct name_gaps *gaps, enum name_gap gap, const char *path)
{
	if (!gaps->of[gap].files++)
		snprintf(gaps->of[gap].path, sizeof(gaps->of[gap].path), "%s", path);
}

const char *name_gaps_text(struct name_gaps *gaps, enum name_gap gap)
{
	u32 others = gaps->of[gap].files - 1;
	char more[32] = "";

	if (!gaps->of[gap].files)
		return NULL;
	if (others)
		snprintf(more, sizeof(more), " and %" PRIu32 " more file%s", others, others == 1 ? "" : "s");
	snprintf(gaps->text, sizeof(gaps->text), "'%s'%s: %s", gaps->of[gap].path, more, reasons[gap]);
	text_printable(gaps->text);
	return gaps->text;
}
