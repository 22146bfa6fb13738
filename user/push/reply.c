/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/reply.h"

static enum push_verdict verdict_of_4xx(u32 status, enum push_cause *ret_cause)
{
	switch (status) {
	case 408:
	case 425:
	case 429:
		return PUSH_AGAIN;
	case 401:
	case 407:
		*ret_cause = PUSH_DENIED;
		return PUSH_AGAIN;
	case 403:
		*ret_cause = PUSH_DENIED;
		return PUSH_DROP;
	case 413:
		*ret_cause = PUSH_TOO_LARGE;
		return PUSH_DROP;
	default:
		*ret_cause = PUSH_REFUSED;
		return PUSH_DROP;
	}
}

static enum push_verdict verdict_of_5xx(u32 status, enum push_cause *ret_cause)
{
	if (status == 502 || status == 503 || status == 504)
		return PUSH_AGAIN;
	*ret_cause = PUSH_STORE_FAILED;
	return PUSH_AGAIN_A_FEW;
}

enum push_verdict push_reply_verdict(const struct push_reply *reply, enum push_cause *ret_cause)
{
	*ret_cause = PUSH_UNSENT;
	if (!reply->status && !reply->garbled)
		return PUSH_AGAIN;
	switch (reply->status / 100) {
	case 2:
		*ret_cause = PUSH_BAD_ANSWER;
		return reply->whole ? PUSH_SENT : PUSH_DROP; /* it may have them: sent again, they would count twice */
	case 3:
		*ret_cause = PUSH_REDIRECTED;
		return PUSH_DROP;
	case 4:
		return verdict_of_4xx(reply->status, ret_cause);
	case 5:
		return verdict_of_5xx(reply->status, ret_cause);
	default:
		*ret_cause = PUSH_BAD_ANSWER;
		return PUSH_AGAIN_A_FEW;
	}
}

enum push_failure push_reply_failure(const struct push_reply *reply)
{
	if (reply->status == 429)
		return PUSH_FAILED_STATUS_429;
	switch (reply->status / 100) {
	case 0:
	case 2:
		return reply->garbled ? PUSH_FAILED_BAD_ANSWER : reply->failure;
	case 3:
		return PUSH_FAILED_STATUS_3XX;
	case 4:
		return PUSH_FAILED_STATUS_4XX;
	case 5:
		return PUSH_FAILED_STATUS_5XX;
	default:
		return PUSH_FAILED_BAD_ANSWER;
	}
}
