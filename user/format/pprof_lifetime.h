/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* heaptap's own fields of a .pb.gz: the numbers of the model collector, and the lifetimes of each sample's objects. */
#include "format/wire.h"
#include "pprof.pb-c.h"
#include "profile/profile.h"

void pprof_model_pack(const struct profile *profile, Pprof__Model *ret_message); /* which points into the profile */
void pprof_lifetime_put(const struct lifetime *lifetime, struct wire *wire);	 /* the fields of a message Lifetime */

/* A message of NULL is no error. Unpack the model before the samples. 0, -EBADMSG or -ENOMEM. */
int pprof_model_unpack(const Pprof__Model *message, struct profile *profile);
int pprof_lifetime_unpack(const Pprof__Lifetime *message, const struct profile *profile, struct profile_sample *sample);
