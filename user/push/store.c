/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/store.h"

#include "push/otlp.h"
#include "push/parca.h"
#include "push/pyroscope.h"

const struct push_store *push_store_of(enum store_kind kind)
{
	static const struct push_store stores[] = {
		[STORE_PYROSCOPE] = {PYROSCOPE_PATH, "application/json", pyroscope_encode, NULL},
		[STORE_PARCA] = {PARCA_PATH, "application/json", parca_encode, NULL},
		[STORE_OTLP] = {OTLP_PATH, "application/x-protobuf", otlp_encode, otlp_number},
	};

	return &stores[kind];
}
