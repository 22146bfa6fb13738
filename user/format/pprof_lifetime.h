/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* heaptap's own fields of a .pb.gz: the numbers of the model collector, and the lifetimes of each sample's objects. */
#include "pprof.pb-c.h"
#include "profile/profile.h"

/* The messages point into the profile. */
void pprof_model_pack(const struct profile *profile, Pprof__Model *ret_message);
void pprof_lifetime_pack(struct lifetime *lifetime, Pprof__Lifetime *ret_message);

/* A message of NULL is no error. Unpack the model before the samples. 0, -EBADMSG or -ENOMEM. */
int pprof_model_unpack(const Pprof__Model *message, struct profile *profile);
int pprof_lifetime_unpack(const Pprof__Lifetime *message, const struct profile *profile, struct profile_sample *sample);
