/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room serve/: profiles over HTTP, in the ways of Go's net/http/pprof, and as metrics. It shows what a source
 * (live/source.h) has; it traces nothing, and whatever its clients do, nobody waits for them but their own threads.
 *
 * This file: what a request asks for. Pure, and strict: the text comes from anyone.
 */
#include <stdbool.h>
#include <stddef.h>

#include "include/types.h"

#define REQUEST_TARGET_MAX    4096
#define REQUEST_CONTAINER_MAX 255
#define REQUEST_SECONDS_MAX   600

enum request_what {
	REQUEST_INDEX,	   /* / */
	REQUEST_STYLE,	   /* /style.css */
	REQUEST_HEALTH,	   /* /healthz */
	REQUEST_METRICS,   /* /metrics */
	REQUEST_DISCOVERY, /* /sd */
	REQUEST_PAGE,	   /* /page */
	REQUEST_PPROF,	   /* /debug/pprof/ */
	REQUEST_CMDLINE,
	REQUEST_SYMBOL,
	REQUEST_HEAP,
	REQUEST_ALLOCS,
	REQUEST_DELTA_HEAP,
	REQUEST_MAPPINGS,
};

struct request {
	enum request_what what;
	bool post;
	bool go;				   /* below /debug/pprof/, where errors are those of Go's handlers */
	u32 pid;				   /* 0: not by process */
	char container[REQUEST_CONTAINER_MAX + 1]; /* "": not by container */
	bool gc;
	bool debug;   /* as text */
	u32 seconds;  /* 0: no difference over a time */
	size_t query; /* where the raw query begins in the target; its length if there is none */
};

/* What is said to a request that is not understood. */
struct request_refusal {
	unsigned int status; /* of HTTP; 0: understood */
	const char *sentence;
	const char *location, *allow; /* headers; NULL: none */
};

/*
 * `target` as it stands in the first line, with percents and query. In *ret_request `go` is set also for a refusal.
 */
struct request_refusal request_parse(const char *method, const char *target, struct request *ret_request);

/* "heap", "allocs", "delta_heap" or "mappings"; else NULL. */
const char *request_profile_name(enum request_what what);

/*
 * Is it the Host that a browser sends which was not led here by a foreign name (DNS rebinding): localhost or a loopback address, with
 * or without a port?
 */
bool request_host_is_local(const char *host);

/* Is it written as a host and perhaps a port are, so that it may stand in an answer? */
bool request_host_is_plain(const char *host);
