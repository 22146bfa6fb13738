/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What stands below /debug/pprof/, as Go's net/http/pprof answers: status codes, types, names of files, errors. Profiles
 * carry the moment they show and no duration, differences the time they cover: stores tell the two apart by that.
 *
 * heap and allocs with seconds= are differences of all four measures, as Go's are. delta_heap is what profile stores want (Grafana's
 * godeltaprof): what was allocated is a difference, what is in use is the latest; without seconds= since the last request for that
 * scope, and the first time since tracing began.
 */
#include "live/source.h"
#include "serve/answer.h"
#include "serve/request.h"

struct pprof_bases;

/*
 * The answer to a request for a profile, complete; for one with seconds= the end of it: `base` is the profile of its beginning.
 * `bases` remembers what delta_heap answered; for one thread at a time.
 */
struct answer *pprof_answer(struct source *source, const struct request *request, struct pprof_bases *bases,
			    const struct profile *base);

/* The profile that a difference begins with. 0 or as source_profile. */
int pprof_take_base(struct source *source, const struct request *request, struct profile **ret_base);

/* What the errors of a source mean to a client. */
struct answer *pprof_explain(const struct request *request, int err);

/* `addresses`: of the query or of the body, joined by '+', as Go's handler takes them. */
struct answer *pprof_symbols(struct source *source, const struct request *request, const char *addresses);

struct answer *pprof_command_line(void); /* a process's is not shown: it may hold secrets */
struct answer *pprof_index(struct source *source, const struct request *request);

struct pprof_bases *pprof_bases_new(void); /* NULL: no memory */
void pprof_bases_free(struct pprof_bases *bases);
