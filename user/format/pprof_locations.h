/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_PPROF_LOCATIONS_H
#define FORMAT_PPROF_LOCATIONS_H
/* The code that a pprof message names: its mappings, functions and locations. */
#include "base/id_map.h"
#include "format/pprof_message.h"
#include "profile/profile.h"

/*
 * Fill the profile's mappings and locations. The locations' ids are for the samples that refer to them; they are the
 * caller's to release, also on error. 0; -EBADMSG: inconsistent; -EFBIG; -ENOMEM.
 */
int pprof_read_locations(struct pprof_message *message, struct profile *profile, struct id_map *locations);

#endif
