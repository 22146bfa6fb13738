/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "push/backoff.h"
#include "push/curl_failure.h"
#include "push/curl_library.h"
#include "push/otlp_answer.h"

#define WAIT_MOST_MS 60000
#define WITHHELD     "what it answers holds credentials and is not shown"

struct transfer {
	CURLM *multi;
	CURL *easy;
	const struct credentials *credentials;
	char *url;
	struct curl_slist *headers;
	bool active;
	const char *failed; /* it could not begin */
	char error[CURL_ERROR_SIZE];
	/* What has come of the answer: */
	size_t header_bytes, body_size;
	bool headers_too_long, body_too_long;
	u64 said_ns;
	char body[TRANSFER_ANSWER_MAX + 1];
};

/* --- what the server sends --- */

static bool begins_with(const char *line, size_t size, const char *words)
{
	return size >= strlen(words) && !strncasecmp(line, words, strlen(words));
}

static void read_retry_after(struct transfer *transfer, const char *value, size_t size)
{
	char text[64];

	while (size && (value[size - 1] == '\r' || value[size - 1] == '\n'))
		size--;
	if (size >= sizeof(text))
		return;
	memcpy(text, value, size);
	text[size] = '\0';
	backoff_parse(text, (s64)clock_ns(CLOCK_REALTIME), &transfer->said_ns);
}

static size_t take_header(char *line, size_t one, size_t size, void *arg)
{
	static const char retry_after[] = "Retry-After:";
	struct transfer *transfer = arg;

	(void)one;
	transfer->header_bytes += size;
	if (transfer->header_bytes > TRANSFER_ANSWER_MAX) {
		transfer->headers_too_long = true;
		return 0;
	}
	if (begins_with(line, size, "HTTP/")) /* what preceded was an answer 1xx */
		transfer->said_ns = 0;
	if (begins_with(line, size, retry_after))
		read_retry_after(transfer, line + strlen(retry_after), size - strlen(retry_after));
	return size;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *transfer = arg;
	size_t room = TRANSFER_ANSWER_MAX - transfer->body_size, part = size < room ? size : room;

	(void)one;
	memcpy(transfer->body + transfer->body_size, bytes, part);
	transfer->body_size += part;
	transfer->body_too_long = part < size;
	return part;
}

/* --- opening --- */

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl.url_get(url, part, &text, 0) == CURLUE_OK;

	curl.free(text);
	return has;
}

bool transfer_takes_url(const char *text)
{
	CURLU *url = curl.url();
	bool takes = url &&
		     (begins_with(text, strlen(text), "http://") || begins_with(text, strlen(text), "https://")) &&
		     curl.url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && has_part(url, CURLUPART_HOST) &&
		     !has_part(url, CURLUPART_USER) && !has_part(url, CURLUPART_PASSWORD) &&
		     !has_part(url, CURLUPART_QUERY) && !has_part(url, CURLUPART_FRAGMENT);

	curl.url_cleanup(url);
	return takes;
}

#define SET(option, value) (curl.easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_bounds(CURL *easy, const struct transfer_options *options)
{
	const long all = (long)options->timeout_ms;

	return SET(TIMEOUT_MS, all) && SET(CONNECTTIMEOUT_MS, all < TRANSFER_CONNECT_MS ? all : TRANSFER_CONNECT_MS) &&
	       SET(FOLLOWLOCATION, 0L) && SET(PROTOCOLS_STR, "http,https") && SET(DISALLOW_USERNAME_IN_URL, 1L) &&
	       SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(HTTP09_ALLOWED, 0L) && SET(NOSIGNAL, 1L) &&
	       SET(QUICK_EXIT, 1L); /* no wait for a name server that does not answer */
}

static bool set_tls(CURL *easy, const struct transfer_options *options)
{
	return SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(SSL_VERIFYPEER, 1L) && SET(SSL_VERIFYHOST, 2L) &&
	       (!options->ca_file || SET(CAINFO, options->ca_file));
}

static bool set_ways(CURL *easy, struct transfer *transfer)
{
	return SET(POST, 1L) && SET(USERAGENT, "heaptap/" HEAPTAP_VERSION) && SET(ERRORBUFFER, transfer->error) &&
	       SET(HEADERFUNCTION, take_header) && SET(HEADERDATA, transfer) && SET(WRITEFUNCTION, take_body) &&
	       SET(WRITEDATA, transfer) && SET(HEADEROPT, (long)CURLHEADER_SEPARATE) &&
	       SET(SUPPRESS_CONNECT_HEADERS, 1L) && SET(TCP_KEEPALIVE, 1L);
}

static int fill(struct transfer *transfer, const struct transfer_options *options)
{
	size_t length = strlen(options->url);

	while (length && options->url[length - 1] == '/')
		length--;
	transfer->url = strndup(options->url, length);
	transfer->multi = curl.multi_init();
	transfer->easy = curl.easy_init();
	if (!transfer->url || !transfer->multi || !transfer->easy)
		return -ENOMEM;
	curl.multi_setopt(transfer->multi, CURLMOPT_MAXCONNECTS, 1L);
	return set_bounds(transfer->easy, options) && set_tls(transfer->easy, options) &&
			       set_ways(transfer->easy, transfer)
		       ? 0
		       : -ENOTSUP;
}

int transfer_open(const struct transfer_options *options, struct transfer **ret_transfer)
{
	struct transfer *transfer;
	int err;

	if (curl.global_init(CURL_GLOBAL_DEFAULT))
		return -ENOTSUP;
	transfer = calloc(1, sizeof(*transfer));
	if (!transfer) {
		curl.global_cleanup();
		return -ENOMEM;
	}
	transfer->credentials = options->credentials;
	err = fill(transfer, options);
	if (err)
		transfer_close(transfer);
	else
		*ret_transfer = transfer;
	return err;
}

void transfer_close(struct transfer *transfer)
{
	if (!transfer)
		return;
	if (transfer->easy)
		transfer_abandon(transfer);
	curl.easy_cleanup(transfer->easy);
	curl.multi_cleanup(transfer->multi);
	free(transfer->url);
	free(transfer);
	curl.global_cleanup();
}

/* --- sending --- */

static bool add_header(struct curl_slist **headers, const char *header)
{
	struct curl_slist *longer = curl.slist_append(*headers, header);

	if (longer)
		*headers = longer;
	return longer;
}

/* Without Expect a body goes at once: a server that does not know it would cost a second each time. */
static bool set_headers(struct transfer *transfer, const struct push_request *request)
{
	const struct credentials *credentials = transfer->credentials;
	char *type;
	bool added;

	if (asprintf(&type, "Content-Type: %s", request->content_type) < 0)
		return false;
	added = add_header(&transfer->headers, type) && add_header(&transfer->headers, "Expect:") &&
		(!request->gzip || add_header(&transfer->headers, "Content-Encoding: gzip"));
	free(type);
	for (size_t i = 0; added && credentials && i < credentials->header_count; i++)
		added = add_header(&transfer->headers, credentials->headers[i]);
	return added && curl.easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static bool set_request(struct transfer *transfer, const struct push_request *request)
{
	CURL *easy = transfer->easy;
	char *url;
	bool set;

	if (asprintf(&url, "%s%s", transfer->url, request->path) < 0)
		return false;
	set = SET(URL, url) && SET(POSTFIELDS, request->body) && SET(POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
	free(url);
	return set;
}

void transfer_begin(struct transfer *transfer, const struct push_request *request)
{
	transfer->error[0] = '\0';
	transfer->header_bytes = transfer->body_size = 0;
	transfer->headers_too_long = transfer->body_too_long = false;
	transfer->said_ns = 0;
	transfer->active = true;
	transfer->failed = NULL;
	if (!set_headers(transfer, request) || !set_request(transfer, request) ||
	    curl.multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK)
		transfer->failed = "out of memory";
}

/* --- the answer --- */

static bool is_garbled(const struct transfer *transfer, CURLcode code)
{
	return transfer->headers_too_long || code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL;
}

static void set_text(const struct transfer *transfer, struct push_reply *reply, const char *text)
{
	size_t length;

	if (transfer->credentials && credentials_are_in(transfer->credentials, text))
		text = WITHHELD;
	length = strnlen(text, sizeof(reply->text) - 1);
	memcpy(reply->text, text, length);
	reply->text[length] = '\0';
	text_printable(reply->text);
}

/* What the server wrote, whose NULs would hide what stands behind them. */
static void set_text_of_body(struct transfer *transfer, struct push_reply *reply)
{
	size_t size = transfer->body_size;

	for (size_t i = 0; i < size; i++)
		if (!transfer->body[i])
			transfer->body[i] = '?';
	while (size && strchr(" \r\n", transfer->body[size - 1]))
		size--;
	transfer->body[size] = '\0';
	set_text(transfer, reply, transfer->body);
}

static bool is_collectors(const struct transfer *transfer, const struct push_reply *reply)
{
	const char *type = NULL;

	curl.easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
	return reply->status / 100 == 2 && otlp_answer_is_type(type);
}

/* What a collector says of the profiles that it took. */
static void read_collectors(const struct transfer *transfer, struct push_reply *reply)
{
	struct otlp_answer answer;

	if (otlp_answer_read(transfer->body, transfer->body_size, &answer)) {
		reply->whole = false;
		reply->failure = PUSH_FAILED_BAD_ANSWER;
		set_text(transfer, reply, "what it answers is no message of OTLP");
		return;
	}
	reply->rejected = answer.rejected;
	reply->warns = !answer.rejected && answer.message;
	set_text(transfer, reply, answer.message ? answer.message : "");
	otlp_answer_release(&answer);
}

static void explain(struct transfer *transfer, CURLcode code, struct push_reply *reply)
{
	const char *target = NULL;

	if (transfer->headers_too_long || transfer->body_too_long)
		snprintf(reply->text, sizeof(reply->text), "the %s of its answer have more than %d bytes",
			 transfer->headers_too_long ? "headers" : "contents", TRANSFER_ANSWER_MAX);
	else if (code != CURLE_OK)
		set_text(transfer, reply, *transfer->error ? transfer->error : curl.easy_strerror(code));
	else if (reply->status / 100 == 3 && !curl.easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &target) &&
		 target)
		set_text(transfer, reply, target);
	else if (is_collectors(transfer, reply))
		read_collectors(transfer, reply);
	else
		set_text_of_body(transfer, reply);
}

static void end(struct transfer *transfer)
{
	curl.multi_remove_handle(transfer->multi, transfer->easy);
	curl.easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
	curl.easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, NULL);
	curl.slist_free_all(transfer->headers);
	transfer->headers = NULL;
	transfer->active = false;
}

static void make_reply(struct transfer *transfer, CURLcode code, struct push_reply *ret_reply)
{
	struct push_reply reply = {
		.whole = code == CURLE_OK, .failure = curl_failure(code), .said_ns = transfer->said_ns};
	long status = 0, of_proxy = 0;

	curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl.easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &of_proxy);
	if (!status && of_proxy >= 300)
		reply.failure = PUSH_FAILED_NO_CONNECTION;
	reply.status = (u32)status;
	if (code == CURLE_OUT_OF_MEMORY && status) /* so libcurl 7.88 says that a header is too long */
		transfer->headers_too_long = true;
	reply.garbled = is_garbled(transfer, code);
	explain(transfer, code, &reply);
	*ret_reply = reply;
}

bool transfer_step(struct transfer *transfer, struct push_reply *ret_reply)
{
	const CURLMsg *message;
	int running, left;

	if (!transfer->active)
		return false;
	if (transfer->failed) {
		*ret_reply = (struct push_reply){.failure = PUSH_FAILED_NO_MEMORY};
		snprintf(ret_reply->text, sizeof(ret_reply->text), "%s", transfer->failed);
		end(transfer);
		return true;
	}
	curl.multi_perform(transfer->multi, &running);
	message = curl.multi_info_read(transfer->multi, &left);
	if (!message || message->msg != CURLMSG_DONE)
		return false;
	make_reply(transfer, message->data.result, ret_reply);
	end(transfer);
	return true;
}

void transfer_wait(struct transfer *transfer, u64 ns)
{
	u64 ms = ns / 1000000 + 1;

	curl.multi_poll(transfer->multi, NULL, 0, (int)(ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS), NULL);
}

void transfer_wake(struct transfer *transfer)
{
	curl.multi_wakeup(transfer->multi);
}

void transfer_abandon(struct transfer *transfer)
{
	if (transfer->active)
		end(transfer);
}
