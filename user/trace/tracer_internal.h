/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The inside of the tracer, for the files that are its parts: tracer.c, attach_process.c, budget.c, handover.c, on_ring.c,
 * sideband.c, close_unused.c, python_tables.c, payers.c, tracee.c and link_switch.c. Calls go from the first of them to the last, never back.
 */
#include "base/hash.h"
#include "binary/hotspot.h"
#include "heap/recorder.h"
#include "probe/binaries.h"
#include "system/cgroup_limit.h"
#include "system/pid_list.h"
#include "trace/attach_method.h"
#include "trace/bpf_object.h"
#include "trace/budget.h"
#include "trace/held_events.h"
#include "trace/memory_watch.h"
#include "trace/pace.h"
#include "trace/python_tables.h"
#include "trace/settle.h"
#include "trace/unread.h"
#include "unwind/tables.h"

/* Links on one file: of one process, or unfiltered. */
struct tracee_file {
	struct binary *file;
	struct attach *attach;	/* NULL while the probes are off (link_switch.h) */
	unsigned int leave_out; /* what was left out of it, beside what the tracer leaves out */
	unsigned int unused;	/* looks in a row at which no traced process mapped it */
	bool failed;		/* it has been said that it could not be made again */
	bool beside;		/* it has been said that processes with the sampler pay for it */
	struct tracee_file *next;
};

/* One process being traced, across its images. */
struct tracee {
	pid_t pid;
	u32 scope;
	bool wide;	 /* served by unfiltered links: it has no files of its own */
	bool translated; /* it has come under a translator; links of its own are gone then */
	bool warned;	 /* that it does not allocate */
	bool listed;	 /* the programs are to know its mappings */
	bool remapped;	 /* its mappings have changed since they were last published */
	struct hotspot hotspot;
	bool said_frameless; /* that its Java keeps no frame pointers */
	u64 gone;	     /* tracer.emptied when its end was first seen in the kernel; 0: it lives */
	struct tracee_file *files;
	struct injected *injected; /* files that have the sampler in its memory: these have no links of its own */
	bool probes_stay;	   /* the program that it runs is not to have it, or cannot */
	struct python_tables python;
	bool python_due; /* it is in the list of those whose tables are to be looked at */
	struct tracee *python_next;
	u32 handovers;	      /* how often its moment was not right */
	u64 handover_ns;      /* when it is asked again */
	struct go_reader *go; /* of the image that it runs; NULL: not looked at so far */
	bool go_due;	      /* it is in the list of those that are, or may have become, programs of Go's */
	struct tracee *go_next;
	UT_hash_handle hh; /* by pid */
};

struct tracer {
	struct kernel *kernel;
	struct calibration calibration;
	enum attach_kind kind;
	unsigned int leave_out;	  /* enum attach_leave_out */
	bool dense;		  /* samples come thick */
	u64 inject_bytes;	  /* processes that run get the sampler, with this interval; 0: they do not */
	struct ring_buffer *ring; /* libbpf's */
	const char *ring_pages;	  /* the kernel's first two of it: its consumer's and its producer's position */
	u64 ring_bytes;		  /* how many it holds */
	struct pace pace;
	bool holding; /* what the ring has is kept for later */
	struct held_events held;
	int ring_left, ring_error; /* of a drain: how many events more, and what went wrong */
	u64 emptied;		   /* how often the ring has been emptied, plus one */
	struct sideband *sideband;
	u64 sideband_ns; /* what the side-band tells is known up to this time */
	struct recorder *recorder;
	struct unwind_tables *tables;
	struct raw_stacks *raw_stacks;
	struct binaries *binaries;
	const struct custom_allocator *pools; /* of --alloc, borrowed */
	bool files_known;		      /* of the program to be attached to: nothing need be opened */
	struct settle_sources sources;
	struct cgroup_limit cgroup_limit;
	enum population population;
	bool wide;		/* no filtered links */
	bool reads_go;		/* Go programs' own profiles are read */
	struct tracee *tracees; /* that have not ended, by pid */
	/*
	 * Unfiltered links, one a file. Those on functions that throw are apart: a session link that is filtered for one process
	 * takes the return leg of all others that another link instruments, even if the programs refuse it. It would end those that
	 * throw.
	 */
	struct tracee_file *wide_files, *throwing_files;
	struct tracee_file *refused_files; /* without links: see translated.h */
	struct tracee_file *go_files;	   /* unfiltered links too, in Go's runtime (tracee_probe_go) */
	bool harm_translators, translators_told, unknown_told;
	struct pid_list translated; /* processes under translators, as they were at translated_ns */
	u64 translated_ns;
	u64 looked_ns;
	u64 looks;	/* at a population, in turns */
	u64 seen_count; /* of its processes there was something to be seen, at the last of these */
	struct memory_watch memory_watch;
	u32 close_due;		   /* with so many files open, those that are unused are closed; 0: UNUSED_FILES */
	bool remapped;		   /* some listed tracee is */
	struct tracee *go_due;	   /* the first of those that go_readers_look looks at */
	struct tracee *python_due; /* the first of those whose Python's tables are to be looked at */
	bool stopping;		   /* no new links */
	bool probes_off;	   /* links are known, and not made (link_switch.h) */
	struct budget budget;	   /* of --max-overhead */
	bool blind;   /* an allocator that a traced process maps is not probed, or events were lost; said */
	bool lacking; /* it has been said which file is not opened, for want of descriptors or memory */
	bool denied;  /* the same, for want of rights */
	struct unread unread;
	unsigned int unprobed_said; /* images of which was said that they were over before they were probed */
};
