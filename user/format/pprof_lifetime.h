/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_PPROF_LIFETIME_H
#define FORMAT_PPROF_LIFETIME_H
/*
 * The fields of a .pb.gz that are heaptap's own: what the model collector knows of the process, and each sample's record
 * of lifetimes.
 */
#include "pprof.pb-c.h"
#include "profile/profile.h"

/* The messages point into what they were made of. */
void pprof_model_pack(const struct profile *profile, Pprof__Model *ret_message);
void pprof_lifetime_pack(struct lifetime *lifetime, Pprof__Lifetime *ret_message);

/* NULL: there is none, which is no error. The model before the samples. 0, -EBADMSG or -ENOMEM. */
int pprof_model_unpack(const Pprof__Model *message, struct profile *profile);
int pprof_lifetime_unpack(const Pprof__Lifetime *message, const struct profile *profile, struct profile_sample *sample);

#endif
