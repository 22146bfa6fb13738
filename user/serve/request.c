/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse_number.h"

#define GO_PREFIX "/debug/pprof/"

static const struct request_refusal understood = {0};

static struct request_refusal refuse(unsigned int status, const char *sentence)
{
	return (struct request_refusal){.status = status, .sentence = sentence};
}

/* --- text --- */

static int hexadecimal(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Decode `length` bytes into `text`, with its NUL. False: a bad percent, a control character, or too long. */
static bool decode(const char *from, size_t length, bool plus_is_blank, char *text, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)from[i];

		if (byte == '%') {
			int high = length - i > 2 ? hexadecimal(from[i + 1]) : -1;
			int low = high >= 0 ? hexadecimal(from[i + 2]) : -1;

			if (low < 0)
				return false;
			byte = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (byte == '+' && plus_is_blank) {
			byte = ' ';
		}
		if (byte < ' ' || byte == 0x7f || count + 1 >= size)
			return false;
		text[count++] = (char)byte;
	}
	text[count] = '\0';
	return true;
}

/* Nothing but what a URL may have: printable ASCII. */
static bool is_plain(const char *target)
{
	for (; *target; target++)
		if ((unsigned char)*target <= ' ' || (unsigned char)*target >= 0x7f)
			return false;
	return true;
}

static bool take_pid(const char *text, struct request *request)
{
	u64 pid;

	if (*text == '0' || parse_number(text, INT_MAX, &pid) || (request->pid && request->pid != pid))
		return false;
	request->pid = (u32)pid;
	return true;
}

static bool take_container(const char *text, struct request *request)
{
	if (!*text || strlen(text) > REQUEST_CONTAINER_MAX)
		return false;
	if (*request->container && strcmp(request->container, text) != 0)
		return false;
	strcpy(request->container, text);
	return true;
}

/* --- the path --- */

static const struct {
	const char *path;
	enum request_what what;
	bool scoped; /* also below /pid/N and /container/NAME */
} paths[] = {
	{"/", REQUEST_INDEX, false},
	{"/style.css", REQUEST_STYLE, false},
	{"/healthz", REQUEST_HEALTH, false},
	{"/sd", REQUEST_DISCOVERY, false},
	{"/metrics", REQUEST_METRICS, true},
	{"/page", REQUEST_PAGE, true},
	{GO_PREFIX, REQUEST_PPROF, true},
	{GO_PREFIX "cmdline", REQUEST_CMDLINE, true},
	{GO_PREFIX "symbol", REQUEST_SYMBOL, true},
	{GO_PREFIX "heap", REQUEST_HEAP, true},
	{GO_PREFIX "allocs", REQUEST_ALLOCS, true},
	{GO_PREFIX "delta_heap", REQUEST_DELTA_HEAP, true},
	{GO_PREFIX "mappings", REQUEST_MAPPINGS, true},
};

/* The scope that a path may begin with; *path is then what follows. */
static struct request_refusal take_scope(const char **path, size_t *length, struct request *request)
{
	static const char by_pid[] = "/pid/", by_container[] = "/container/";
	bool pid = *length > strlen(by_pid) && !strncmp(*path, by_pid, strlen(by_pid));
	bool container = *length > strlen(by_container) && !strncmp(*path, by_container, strlen(by_container));
	const char *name = *path + strlen(pid ? by_pid : by_container), *end;
	char text[REQUEST_CONTAINER_MAX + 1];

	if (!pid && !container)
		return understood;
	end = memchr(name, '/', *length - (size_t)(name - *path));
	if (!end)
		return refuse(404, "no such page");
	if (!decode(name, (size_t)(end - name), false, text, sizeof(text)))
		return refuse(400, "the path is not written as a URL is, or too long");
	*length -= (size_t)(end - *path);
	*path = end;
	if (pid ? take_pid(text, request) : take_container(text, request))
		return understood;
	return refuse(400,
		      pid ? "the number in /pid/N/ is no process number" : "the name in /container/NAME/ is empty");
}

static bool is_path(const char *path, size_t length, const char *wanted)
{
	return length == strlen(wanted) && !memcmp(path, wanted, length);
}

static struct request_refusal parse_path(const char *path, size_t length, struct request *request)
{
	struct request_refusal refusal = take_scope(&path, &length, request);
	bool scoped = request->pid || *request->container;

	request->go = length >= strlen(GO_PREFIX) && !strncmp(path, GO_PREFIX, strlen(GO_PREFIX));
	if (refusal.status)
		return refusal;
	for (unsigned int i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (is_path(path, length, paths[i].path) && (!scoped || paths[i].scoped)) {
			request->what = paths[i].what;
			return understood;
		}
	/* As Go's multiplexer does. */
	if (is_path(path, length, "/debug/pprof"))
		return (struct request_refusal){301, "moved to " GO_PREFIX, scoped ? "pprof/" : GO_PREFIX, NULL};
	return refuse(404, request->go ? "Unknown profile: heaptap has heap, allocs, delta_heap and mappings"
				       : "no such page");
}

/* --- the query --- */

/* A number as Go's strconv.Atoi reads it: one that is too large is the largest, and anything else 0; neither is valid. */
static long long go_number(const char *text, bool *ret_valid)
{
	bool sign = *text == '-' || *text == '+';
	u64 number = 0;
	int err = parse_number(text + sign, LLONG_MAX, &number);

	*ret_valid = !err || err == -EDOM;
	if (err == -ERANGE)
		number = LLONG_MAX;
	else if (!*ret_valid)
		return 0;
	return *text == '-' ? -(long long)number : (long long)number;
}

struct parameters {
	const char *seconds; /* NULL: not given */
	char seconds_text[32];
	long long gc, debug;
	u32 seen; /* the first of several counts */
};

enum {
	SEEN_PID = 1,
	SEEN_CONTAINER = 2,
	SEEN_GC = 4,
	SEEN_DEBUG = 8,
	SEEN_SECONDS = 16
};

static struct request_refusal take_parameter(const char *name, const char *value, struct request *request,
					     struct parameters *parameters)
{
	static const char *const names[] = {"pid", "container", "gc", "debug", "seconds"};
	u32 which = 0;
	bool valid;

	for (u32 i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			which = 1u << i;
	if (parameters->seen & which)
		return understood;
	parameters->seen |= which;
	if (which == SEEN_PID && !take_pid(value, request))
		return refuse(400, "invalid value for \"pid\" - must be one process number");
	if (which == SEEN_CONTAINER && !take_container(value, request))
		return refuse(400, "invalid value for \"container\" - must be one name or id");
	if (which == SEEN_GC)
		parameters->gc = go_number(value, &valid);
	if (which == SEEN_DEBUG)
		parameters->debug = go_number(value, &valid);
	if (which == SEEN_SECONDS && *value) {
		if (strlen(value) < sizeof(parameters->seconds_text))
			strcpy(parameters->seconds_text, value);
		parameters->seconds = parameters->seconds_text;
	}
	return understood;
}

static struct request_refusal take_pair(const char *pair, size_t length, struct request *request,
					struct parameters *parameters)
{
	const char *equals = memchr(pair, '=', length);
	size_t name_length = equals ? (size_t)(equals - pair) : length;
	char name[32], value[REQUEST_TARGET_MAX];

	if (!length)
		return understood;
	if (memchr(pair, ';', length))
		return refuse(400, "';' separates nothing in a query: write '&'");
	if (!decode(pair, name_length, true, value, sizeof(value)))
		return refuse(400, "the query is not written as a URL's is");
	if (strlen(value) >= sizeof(name)) /* unknown, and passed over as other unknown ones are */
		*name = '\0';
	else
		strcpy(name, value);
	*value = '\0';
	if (equals && !decode(equals + 1, length - name_length - 1, true, value, sizeof(value)))
		return refuse(400, "the query is not written as a URL's is");
	return take_parameter(name, value, request, parameters);
}

/* The checks of Go's handlers, in their order. */
static struct request_refusal check_parameters(const struct parameters *parameters, struct request *request)
{
	long long seconds;
	bool valid;

	if (request->pid && *request->container)
		return refuse(400, "a process and a container are named: name one of them");
	request->debug = parameters->debug != 0;
	request->gc = request->what == REQUEST_HEAP && parameters->gc > 0;
	if (!parameters->seconds || !request_profile_name(request->what))
		return understood;
	seconds = go_number(parameters->seconds, &valid);
	if (seconds <= 0)
		return refuse(400, "invalid value for \"seconds\" - must be a positive integer");
	if (seconds > REQUEST_SECONDS_MAX)
		return refuse(400, "invalid value for \"seconds\" - must be at most 600");
	if (request->debug)
		return refuse(400, "seconds and debug params are incompatible");
	request->gc = false;
	request->seconds = (u32)seconds;
	return understood;
}

static struct request_refusal parse_query(const char *query, struct request *request)
{
	struct request_refusal refusal = understood;
	struct parameters parameters = {0};

	for (size_t length; *query && !refusal.status; query += length + (query[length] == '&')) {
		length = strcspn(query, "&");
		refusal = take_pair(query, length, request, &parameters);
	}
	return refusal.status ? refusal : check_parameters(&parameters, request);
}

/* --- the whole --- */

static struct request_refusal check_method(const char *method, struct request *request)
{
	bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD"), symbol = request->what == REQUEST_SYMBOL;

	request->post = symbol && !strcmp(method, "POST");
	if (get || request->post)
		return understood;
	return (struct request_refusal){.status = 405,
					.sentence = symbol ? "only GET, HEAD and POST" : "only GET and HEAD",
					.allow = symbol ? "GET, HEAD, POST" : "GET, HEAD"};
}

struct request_refusal request_parse(const char *method, const char *target, struct request *ret_request)
{
	size_t length = strlen(target), path = strcspn(target, "?");
	struct request_refusal refusal;

	memset(ret_request, 0, sizeof(*ret_request));
	ret_request->query = path + (path < length);
	if (length > REQUEST_TARGET_MAX)
		return refuse(414, "the URL is longer than 4096 bytes");
	if (*target != '/' || !is_plain(target))
		return refuse(400, "the path is not written as a URL is");
	refusal = parse_path(target, path, ret_request);
	if (!refusal.status || refusal.location) {
		struct request_refusal unfit = check_method(method, ret_request);

		refusal = unfit.status ? unfit : refusal;
	}
	/* The query of a symbol's URL is a list of addresses. */
	if (!refusal.status && (ret_request->what != REQUEST_SYMBOL || ret_request->post))
		refusal = parse_query(target + ret_request->query, ret_request);
	return refusal;
}

const char *request_profile_name(enum request_what what)
{
	if (what == REQUEST_HEAP)
		return "heap";
	if (what == REQUEST_ALLOCS)
		return "allocs";
	if (what == REQUEST_DELTA_HEAP)
		return "delta_heap";
	return what == REQUEST_MAPPINGS ? "mappings" : NULL;
}

/* --- the Host --- */

bool request_host_is_plain(const char *host)
{
	size_t length = strlen(host);

	return length && length <= 255 &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") == length;
}

bool request_host_is_local(const char *host)
{
	char name[64];
	struct in_addr address;
	struct in6_addr address6;
	size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port = host + (length < strlen(host) ? length : strlen(host));

	if (length >= sizeof(name) || (*port && (*port != ':' || port[1 + strspn(port + 1, "0123456789")])))
		return false;
	memcpy(name, host, (size_t)(port - host));
	name[port - host] = '\0';
	if (!strcasecmp(name, "localhost") || !strcasecmp(name, "localhost."))
		return true;
	if (*name == '[' && name[strlen(name) - 1] == ']') {
		name[strlen(name) - 1] = '\0';
		return inet_pton(AF_INET6, name + 1, &address6) == 1 && IN6_IS_ADDR_LOOPBACK(&address6);
	}
	return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}
