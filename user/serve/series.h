/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The series of metrics.h: processes with equal labels, added up. */
#include "live/source.h"
#include "serve/metrics.h"

#define SERIES_LABEL_SIZE 256

/* Labels are as they are shown: what is equal there is one series, since Prometheus takes no answer that has one twice. */
struct series {
	bool labelled;
	char comm[SERIES_LABEL_SIZE], container[SERIES_LABEL_SIZE];
	u32 pid; /* 0: not a label */
	u32 living;
	bool inuse_known;
	u64 total[MEASURE_MAX]; /* in use: of the living */
	u64 samples, hits_alloc, hits_free;
	u64 resident; /* 0: not known */
	double growth;
	bool memory_known; /* of each of its living processes */
	struct memory_amount memory[MEMORY_PART_MAX];
};

/* Valid when zeroed. */
struct series_list {
	struct series *series; /* the largest in use first */
	u32 count;
	u32 processes; /* of the scope, living or not */
	u64 counted[COUNTER_MAX];
};

/* 0 or -ENOMEM; series_list_release in both cases. */
int series_list_make(const struct source_listing *listing, const struct metrics_scope *scope,
		     struct series_list *ret_list);
void series_list_release(struct series_list *list);
