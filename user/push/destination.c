/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/destination.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse_number.h"

static const struct {
	const char *scheme;
	enum store_kind store;
} schemes[] = {
	{"pyroscope+", STORE_PYROSCOPE},
	{"parca+", STORE_PARCA},
	{"otlp+", STORE_OTLP},
};

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

/* The text behind the store's part of the scheme; NULL: there is none. */
static const char *take_store(const char *text, enum store_kind *ret_store)
{
	for (unsigned int i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (!strncmp(text, schemes[i].scheme, strlen(schemes[i].scheme))) {
			*ret_store = schemes[i].store;
			return text + strlen(schemes[i].scheme);
		}
	return NULL;
}

static bool is_port(const char *text, size_t length)
{
	char digits[6];
	u64 port;

	if (!length || length >= sizeof(digits))
		return false;
	memcpy(digits, text, length);
	digits[length] = '\0';
	return !parse_number(digits, 65535, &port);
}

/* A name or an address, [in brackets] if it has colons, and perhaps a port. */
static bool is_host(const char *host, size_t length)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	static const char address[] = "0123456789abcdefABCDEF:.";
	bool bracket = *host == '[';
	size_t end = bracket ? 1 + strspn(host + 1, address) : strspn(host, name);

	if (end == bracket || end > length)
		return false;
	if (bracket && host[end++] != ']')
		return false;
	return end == length || (host[end] == ':' && is_port(host + end + 1, length - end - 1));
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static int check(const char *host, const char **ret_why)
{
	size_t length = strcspn(host, "/?#");

	if (memchr(host, '@', length))
		return refuse(
			ret_why,
			"has a user in it, whom 'ps' would show; --auth-file FILE names a file with USER:PASSWORD");
	if (host[strcspn(host, "?#")])
		return refuse(ret_why, "has a query or a fragment, which no store has");
	if (!is_host(host, length))
		return refuse(ret_why, "has no HOST or HOST:PORT that there can be");
	return 0;
}

int destination_parse(const char *text, struct destination *ret_destination, const char **ret_why)
{
	struct destination destination = {0};
	const char *url = take_store(text, &destination.store);
	int err;

	if (!url || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return refuse(
			ret_why,
			"begins with none of pyroscope+http://, pyroscope+https://, parca+http://, parca+https://, "
			"otlp+http://, otlp+https://");
	if (!is_plain(url) || strlen(url) > DESTINATION_URL_MAX)
		return refuse(ret_why, "is too long, or has characters that no URL has");
	err = check(strstr(url, "//") + 2, ret_why);
	if (err)
		return err;
	destination.url = strdup(url);
	if (!destination.url)
		return -ENOMEM;
	for (size_t length = strlen(url); destination.url[length - 1] == '/'; length--)
		destination.url[length - 1] = '\0';
	*ret_destination = destination;
	return 0;
}

void destination_release(struct destination *destination)
{
	free(destination->url);
	*destination = (struct destination){0};
}

static bool is_named(const char *host, const char *name)
{
	return !strncmp(host, name, strlen(name)) && strchr(":/", host[strlen(name)]);
}

bool destination_is_open(const struct destination *destination)
{
	const char *host = strstr(destination->url, "//") + 2;

	if (!strncmp(destination->url, "https:", 6) || is_named(host, "localhost") || is_named(host, "[::1]"))
		return false;
	return strncmp(host, "127.", 4) != 0 || strspn(host, "0123456789.") != strcspn(host, ":/");
}
