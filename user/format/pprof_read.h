/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A saved .pb.gz back into a profile, for `heaptap report`. Raw counts are recovered by inverting estimate_scale (exact,
 * since a sample stands for at least one whole object). Also reads other producers' heap profiles with Go's four sample
 * types (or the two alloc ones); anything else is refused.
 */
#include "profile/profile.h"

/*
 * 0; -ESPIPE: no regular file; -EBADMSG: no gzip/protobuf or inconsistent, or its samples' sum exceeds INT64_MAX in a measure; -ENODATA: truncated; -EPROTO: not a heap profile; -EFBIG: it becomes larger than a profile of
 * the file's size can, or than 4 GiB; or errno.
 */
int pprof_read(const char *path, struct profile **ret_profile);
