/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The index.json of a recording, as a file. It is optional, so anything wrong with it is ignored; one that is too large, or would become so,
 * is named.
 */
#include <cjson/cJSON.h>

cJSON *index_read(const char *directory); /* free with cJSON_Delete; NULL: no usable one */
