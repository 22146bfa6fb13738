/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a profile is known by in a store. Each store has names of its own for the same thing: Pyroscope's and Parca's are Prometheus's
 * (letters, digits and '_'), those of OTLP are OpenTelemetry's semantic conventions.
 *
 * Values are cut to what stores take, and made valid UTF-8 without control characters: they come from foreign processes.
 */
#include "include/types.h"
#include "push/destination.h"

#define LABEL_NAME_MAX	1024 /* bytes; Pyroscope's defaults, which are the narrowest */
#define LABEL_VALUE_MAX 2048
#define LABELS_OWN_MAX	16     /* with those that heaptap adds fewer than the 30 that a series may have */
#define LABEL_PART	"part" /* of a profile that is sent in pieces, from its second on */

struct label {
	char *name, *value;
};

/* Valid when zeroed. */
struct label_list {
	struct label *labels; /* by name */
	u32 count;
};

/* What is known of the processes of a series. NULL or 0: unknown, or not to be said. */
struct label_facts {
	const char *host;
	const char *comm; /* not NULL */
	const char *exe;  /* path */
	const char *build_id;
	const char *container_id;
	const char *container; /* its name, of Kubernetes POD/CONTAINER */
	const char *space;     /* the pod's namespace */
	const char *cgroup;    /* path; a unit of systemd may be in it */
	u32 pid;
};

/*
 * --label NAME=VALUE: add it to `own`. 0; -ENOMEM; or -EINVAL with *ret_why the rest of a sentence that begins with the text. A
 * name that is one of heaptap's own in any store replaces that label in every store.
 */
int labels_add_own(struct label_list *own, const char *text, const char **ret_why);

/*
 * The labels of a series in the names of that store, which has at least the service's: with `own`; else namespace and container, container,
 * unit, or the process's name, the first that is known. 0 or -ENOMEM, and nothing is to be released.
 */
int labels_make(const struct label_facts *facts, const struct label_list *own, enum store_kind store,
		struct label_list *ret_list);

/* Copies, at the place of that name, in place of another of that name. A value of "" takes it out. 0 or -ENOMEM. */
int label_list_set(struct label_list *list, const char *name, const char *value);
const char *label_list_find(const struct label_list *list, const char *name); /* NULL: none */
void label_list_release(struct label_list *list);
