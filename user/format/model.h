/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_H
#define MODEL_H
/*
 * The fields of a .pb.gz that are heaptap's own: what the model collector knows of the process, and each sample's record
 * of lifetimes.
 */
#include "pprof.pb-c.h"
#include "profile/profile.h"

/* The messages point into what they were made of. */
void model_pack(const struct profile *profile, Pprof__Model *ret_message);
void model_pack_lifetime(struct lifetime *lifetime, Pprof__Lifetime *ret_message);

/* NULL: there is none, which is no error. The model before the samples. 0, -EBADMSG or -ENOMEM. */
int model_unpack(const Pprof__Model *message, struct profile *profile);
int model_unpack_lifetime(const Pprof__Lifetime *message, const struct profile *profile, struct profile_sample *sample);

#endif
