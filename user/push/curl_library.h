/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * libcurl, loaded when something is to be pushed: it brings dozens of libraries along, which no other command should pay for. Types and
 * constants are those of its header; functions are called through the table, as curl.easy_init().
 */
#include <curl/curl.h>

/* Those that heaptap calls, without the curl_ in front. */
#define CURL_FUNCTIONS(X)                                                                                              \
	X(global_init)                                                                                                 \
	X(global_cleanup)                                                                                              \
	X(easy_init)                                                                                                   \
	X(easy_setopt)                                                                                                 \
	X(easy_getinfo)                                                                                                \
	X(easy_strerror)                                                                                               \
	X(easy_cleanup)                                                                                                \
	X(multi_init)                                                                                                  \
	X(multi_setopt)                                                                                                \
	X(multi_add_handle)                                                                                            \
	X(multi_remove_handle)                                                                                         \
	X(multi_perform)                                                                                               \
	X(multi_info_read)                                                                                             \
	X(multi_poll)                                                                                                  \
	X(multi_wakeup)                                                                                                \
	X(multi_cleanup)                                                                                               \
	X(slist_append)                                                                                                \
	X(slist_free_all)                                                                                              \
	X(url)                                                                                                         \
	X(url_set)                                                                                                     \
	X(url_get)                                                                                                     \
	X(url_cleanup)                                                                                                 \
	X(version_info)                                                                                                \
	X(free)

struct curl_library {
#define CURL_FUNCTION(name) typeof(&curl_##name) name;
	CURL_FUNCTIONS(CURL_FUNCTION)
#undef CURL_FUNCTION
};

/* Valid once curl_library_load has returned 0. */
extern struct curl_library curl;

/* By any thread, as often as it likes: the library is loaded once, and stays. 0; or -ENOPKG, when a sentence has been said. */
int curl_library_load(void);
