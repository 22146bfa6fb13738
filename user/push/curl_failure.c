/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/curl_failure.h"

enum push_failure curl_failure(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return PUSH_FAILED_NO_NAME;
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
		return PUSH_FAILED_NO_CONNECTION;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return PUSH_FAILED_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return PUSH_FAILED_TIMEOUT;
	case CURLE_WRITE_ERROR: /* the answer is longer than what is read of it */
		return PUSH_FAILED_BAD_ANSWER;
	case CURLE_OUT_OF_MEMORY:
		return PUSH_FAILED_NO_MEMORY;
	case CURLE_OK:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return PUSH_FAILED_CUT;
	default:
		return PUSH_FAILED_OTHER;
	}
}
