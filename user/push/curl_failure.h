/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What libcurl's codes say of an attempt to send a request. */
#include <curl/curl.h>

#include "push/ledger.h"

/* Where no whole answer has come. CURLE_OK: PUSH_FAILED_CUT. */
enum push_failure curl_failure(CURLcode code);
