/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A saved profile, completed by the index.json of its recording, without which it is read all the same. */
#include <dirent.h>
#include <regex.h>

#include <cjson/cJSON.h>

#include "profile/profile.h"

/* Does it have the name of one (.pb.gz)? For scandir. */
int profile_file_is_named(const struct dirent *entry);

/*
 * STATUS_DONE with the profile, completed from the index (NULL: none); or the status to return, with the reason logged.
 * `site_skip`: functions that sites pass over; NULL: none beside those the profile has.
 */
int profile_file_read(const char *path, const cJSON *index, const regex_t *site_skip, struct profile **ret_profile);

/* The same without a word: 0 or the negative errno of pprof_read. */
int profile_file_load(const char *path, const cJSON *index, const regex_t *site_skip, struct profile **ret_profile);

/*
 * The index of the recording that a file belongs to: beside it, or above the folders of merged profiles and of mappings. Free with
 * cJSON_Delete; NULL: none.
 */
cJSON *profile_file_index(const char *path);
