/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * `--trigger EXPR`: the moments at which a process has so much memory that profiles should be written at once, since
 * the OOM killer leaves no time for it later.
 *
 *   rss=400M      its resident memory reaches 400 MiB
 *   rss=80%       ... that share of its memory limit, which is the machine's memory where it is under none
 *   rss=+100M     ... grows by 100 MiB: since tracing began, and then since this trigger fired last
 *   cgroup=...    the same of the control group whose limit it is under, without files that the kernel only caches
 *
 * A trigger that fired for a process fires for it again after its memory was below 0.95 of the trigger's.
 */
#include "heap/recorder.h"

#define TRIGGERS_MAX IMAGE_TRIGGERS_MAX

struct trigger {
	const char *text; /* as it was given; borrowed */
	bool cgroup;	  /* its control group's memory, not the process's */
	bool growth;	  /* `bytes` since the last time */
	u64 bytes;	  /* 0: a share */
	u32 percent;	  /* of the limit */
};

/* 0, or -EINVAL: it is none of those, a size of 0, or no share from 1 to 100 %. */
int trigger_parse(const char *text, struct trigger *ret_trigger);

struct trigger_watch {
	const struct trigger *triggers;
	u32 count;
	u64 machine_bytes; /* all memory: the limit where there is no other */
	u64 looked_ns;
	bool said; /* whether there is a group to look at */
};

void trigger_watch_begin(struct trigger_watch *watch, const struct trigger *triggers, u32 count);

/*
 * Does one of them fire for this image, whose resident memory is as it was seen last? Says so, and remembers it in the image, which the
 * first call gives what growth is counted from. `used` and `limit` are of its control group, see cgroup_memory; 0, 0: it has none with a limit.
 */
bool trigger_look(const struct trigger_watch *watch, struct image *image, u64 used, u64 limit);

/* Does one fire for any living image? Looks at them ten times a second at most. */
bool trigger_due(struct trigger_watch *watch, struct recorder *recorder, u64 now_ns);
