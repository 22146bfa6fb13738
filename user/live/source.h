/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room live/: where the profiles that `top` and `serve` show come from. A source is a recording that goes on, or one
 * on disk (recorded.h); those who show profiles do not know which. The room owns no format and draws nothing.
 *
 * Any thread may call, and several at the same time.
 */
#include "format/index_write.h"

struct source;

/* What processes allocated that were dropped, and that no profile had for which somebody adds up (source_want.adds_up) and that was kept. */
struct source_untold {
	u64 processes, bytes;
};

struct source_listing {
	struct index_table processes; /* as index.json has them, with their files where these are on disk */
	struct index_table
		dropped; /* what others had that have ended, as ended_sums.h adds it up: they have no profiles any more */
	u64 start_unix_ns, duration_ns, sample_bytes;
	char attach[16]; /* "session", "multi", "perf"; "" where unknown */
	u64 processes_missing, processes_refused;
	struct source_untold untold;
	bool go_left_out; /* a Go program's own profile could not be added to the others, and is not in what was taken (source_take) */
	bool named; /* processes were named, so that they are few and can be told by pid; else it is a population */
	bool ended; /* no more will come: it is on disk, or tracing is over */
};

/* The process, else the container, else all processes, merged: their samples are labelled with pid, comm and container. */
struct source_want {
	u32 pid;	       /* 0: not by process */
	u32 image;	       /* 0: the last one of that pid */
	const char *container; /* its name, or its id or the first 12 digits of it; NULL: not by container */
	bool gc;	       /* complete a cycle of the model collector first, so that what is in use is of now */
	bool living; /* of what is traced: in use is only what processes have that run, not what others had at their end */
	bool regions; /* what system calls mapped (PROFILE_REGIONS), in place of the heap */
	bool adds_up; /* of all processes: who asks adds up what is allocated from one profile to the next (source_listing.untold) */
	bool counts; /* lifetimes may be left out: they take most of the time where there are very many sites */
};

/* What there is. 0 or negative errno; source_listing_release in both cases. */
int source_list(struct source *source, bool gc, struct source_listing *ret_listing);
void source_listing_release(struct source_listing *listing);

/*
 * A profile with its names, for the caller to free with profile_free. Where only one process is wanted, or there is only one, it is
 * that process's own, with lifetimes and without labels. 0; -ENOENT: no such process or container, or it has no such profile;
 * -EINVAL: the profiles cannot be merged; -EBUSY: too many ask; or another negative errno.
 */
int source_profile(struct source *source, const struct source_want *want, struct profile **ret_profile);

/*
 * Both of one moment: whose samples are in the profile is listed. As source_profile; the list is there with -ENOENT too, and
 * source_listing_release follows in any case. Its processes may be facts alone, without totals and files.
 */
int source_take(struct source *source, const struct source_want *want, struct source_listing *ret_listing,
		struct profile **ret_profile);

/*
 * Earlier profiles of the same, oldest first: how many there are (0 where none are kept), and each of them, as source_profile gives it. The
 * count is an upper limit: -ENOENT and -EBADMSG mean that one of them cannot be had.
 */
u32 source_moment_count(struct source *source, const struct source_want *want);
int source_moment(struct source *source, const struct source_want *want, u32 index, struct profile **ret_profile);

/*
 * What became of the last profile with `adds_up`: it is kept, or what it has is to be in the next one. Must be said of
 * each that was given, by who asked for it: processes that have ended are kept until then.
 */
void source_settle(struct source *source, bool kept);

/* Who waits in a call for its turn, and all who call from now on, get -ECANCELED. Returns at once. */
void source_cancel(struct source *source);

/* No thread may be in a call, and none may come. NULL: nothing happens. */
void source_close(struct source *source);

/* Does it name the container of these facts, as source_want says? */
bool source_is_container(const char *name, const struct profile *facts);

/*
 * For implementations: add a process's profile, labelled with its pid, comm and container, and with the number of its program as group: a pid
 * alone has had many, each of which may be missing in the next sum. As merge_add.
 */
struct merge;
int source_merge(struct merge *merge, const struct profile *profile);

/* For implementations: a source begins with this. */
struct source_ops {
	int (*list)(struct source *source, bool gc, struct source_listing *ret_listing);
	int (*profile)(struct source *source, const struct source_want *want, struct profile **ret_profile);
	/* NULL: nothing begins or ends between a list and a profile. */
	int (*take)(struct source *source, const struct source_want *want, struct source_listing *ret_listing,
		    struct profile **ret_profile);
	void (*settle)(struct source *source, bool kept); /* NULL: nothing that it was asked for goes */
	void (*cancel)(struct source *source);		  /* NULL: nobody waits */
	void (*close)(struct source *source);
	/* Both NULL where no earlier profiles are kept. */
	u32 (*moment_count)(struct source *source, const struct source_want *want);
	int (*moment)(struct source *source, const struct source_want *want, u32 index, struct profile **ret_profile);
};

struct source {
	const struct source_ops *ops;
};
