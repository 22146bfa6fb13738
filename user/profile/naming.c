/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/naming.h"

#include "profile/frame_role.h"
#include "profile/symbolize.h"

int naming_apply(struct profile *profile, struct symbolizer *symbolizer, struct wrappers *wrappers,
		 const regex_t *site_skip)
{
	struct profile *regions = profile->regions;
	int err = profile_symbolize(profile, symbolizer);

	/* What hands sizes on to malloc is told by code that C compilers make. */
	if (!err && !profile->go.version[0] && profile->kind == PROFILE_HEAP)
		err = wrappers_find(wrappers, profile);
	if (!err)
		frame_roles_mark(profile, site_skip);
	if (err || !regions)
		return err;
	/* The caller's, as its own is, and gone as soon. */
	regions->root = profile->root;
	err = naming_apply(regions, symbolizer, wrappers, site_skip);
	regions->root = NULL;
	return err;
}
