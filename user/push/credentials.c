/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files to headers. A sentence names file and line, never what stands there. */
#include "push/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/status.h"
#include "system/private_file.h"
#include "system/shortage.h"

/* A piece of text that is read, of which what comes behind is not NUL-terminated. */
struct line {
	char *text;
	size_t length;
};

static int refuse_memory(void)
{
	log_error("out of memory");
	return STATUS_FAILED;
}

/* --- reading --- */

/* 0 with *ret_bytes allocated, one byte longer than *ret_size; or a status. */
static int read_file(const char *path, size_t most, char **ret_bytes, size_t *ret_size)
{
	char *bytes = malloc(most + 1);
	int err = bytes ? private_file_read(path, bytes, most + 1, ret_size) : -ENOMEM;

	if (!err && *ret_size <= most) {
		*ret_bytes = bytes;
		return STATUS_DONE;
	}
	if (!err)
		log_error("'%s' is not used: it has more than %zu bytes", path, most);
	else if (err == -EACCES)
		log_error("the credentials in '%s' are not used: others may read the file; 'chmod 600' it", path);
	else
		log_error("cannot read '%s': %s", path, shortage_explain(err).text);
	if (bytes && !err)
		explicit_bzero(bytes, most + 1);
	free(bytes);
	return err ? STATUS_FAILED : STATUS_USAGE;
}

/* Cut the next line off; it ends at LF, CR LF, or the end. False: there is none. */
static bool next_line(struct line *rest, struct line *ret_line)
{
	char *end = rest->length ? memchr(rest->text, '\n', rest->length) : NULL;
	size_t length = end ? (size_t)(end - rest->text) : rest->length, taken = length + (end ? 1 : 0);

	if (!rest->length)
		return false;
	*ret_line = (struct line){rest->text, length};
	if (length && rest->text[length - 1] == '\r')
		ret_line->length--;
	rest->text += taken;
	rest->length -= taken;
	return true;
}

static bool is_control(char character)
{
	return (unsigned char)character < ' ' || character == 0x7f;
}

/* No NUL, CR or other control character: what is sent behind one would be a header, or a request, of its own. */
static bool has_control(const struct line *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (is_control(line->text[i]) && line->text[i] != '\t')
			return true;
	return false;
}

static struct line trim(struct line line)
{
	while (line.length && (line.text[0] == ' ' || line.text[0] == '\t')) {
		line.text++;
		line.length--;
	}
	while (line.length && (line.text[line.length - 1] == ' ' || line.text[line.length - 1] == '\t'))
		line.length--;
	return line;
}

/* --- headers --- */

/* Takes `secret`, which may be NULL for want of memory. */
static bool keep_secret(struct credentials *credentials, char *secret)
{
	if (!secret)
		return false;
	credentials->secrets[credentials->secret_count++] = secret;
	return true;
}

static bool add_header(struct credentials *credentials, const char *name, const char *value, size_t length)
{
	char *header;

	if (asprintf(&header, "%s: %.*s", name, (int)length, value) < 0)
		return false;
	credentials->headers[credentials->header_count++] = header;
	return true;
}

static bool has_header(const struct credentials *credentials, const char *name, size_t length)
{
	for (size_t i = 0; i < credentials->header_count; i++)
		if (!strncasecmp(credentials->headers[i], name, length) && credentials->headers[i][length] == ':')
			return true;
	return false;
}

static char *base64(const char *bytes, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((size + 2) / 3 * 4 + 1), *at = text;

	for (size_t i = 0; text && i < size; i += 3) {
		size_t left = size - i;
		unsigned int group = (unsigned int)(unsigned char)bytes[i] << 16;

		group |= left > 1 ? (unsigned int)(unsigned char)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? (unsigned int)(unsigned char)bytes[i + 2] : 0;
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = (char)(left > 1 ? digits[group >> 6 & 63] : '=');
		*at++ = (char)(left > 2 ? digits[group & 63] : '=');
	}
	if (text)
		*at = '\0';
	return text;
}

/* --- the file with the authorization --- */

static bool is_token(const struct line *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (line->text[i] <= ' ' || line->text[i] > '~')
			return false;
	return line->length;
}

static int add_bearer(struct credentials *credentials, const char *path, const struct line *line)
{
	char *value;
	bool added;

	if (!is_token(line)) {
		log_error(
			"the first line of '%s' is neither USER:PASSWORD nor a token, which has printable characters without blanks",
			path);
		return STATUS_USAGE;
	}
	if (!keep_secret(credentials, strndup(line->text, line->length)))
		return refuse_memory();
	if (asprintf(&value, "Bearer %.*s", (int)line->length, line->text) < 0)
		return refuse_memory();
	added = add_header(credentials, "Authorization", value, strlen(value));
	explicit_bzero(value, strlen(value));
	free(value);
	return added ? STATUS_DONE : refuse_memory();
}

/* The password is a secret, and so is what it is sent as. */
static int add_basic(struct credentials *credentials, const struct line *line, const char *colon)
{
	size_t length = line->length - (size_t)(colon + 1 - line->text);
	char *encoded = base64(line->text, line->length), *value;
	bool added;

	if (length && !keep_secret(credentials, strndup(colon + 1, length))) {
		free(encoded);
		return refuse_memory();
	}
	if (!keep_secret(credentials, encoded) || asprintf(&value, "Basic %s", encoded) < 0)
		return refuse_memory();
	added = add_header(credentials, "Authorization", value, strlen(value));
	explicit_bzero(value, strlen(value));
	free(value);
	return added ? STATUS_DONE : refuse_memory();
}

static int use_auth_line(struct credentials *credentials, const char *path, struct line *bytes)
{
	const char *colon;
	struct line line;

	if (!next_line(bytes, &line) || !line.length || line.length > CREDENTIALS_LINE_MAX) {
		log_error(
			"the first line of '%s' is no USER:PASSWORD and no token: it has no characters, or more than %d",
			path, CREDENTIALS_LINE_MAX);
		return STATUS_USAGE;
	}
	if (has_control(&line) || memchr(line.text, '\t', line.length)) {
		log_error("the first line of '%s' cannot be sent: it has control characters", path);
		return STATUS_USAGE;
	}
	colon = memchr(line.text, ':', line.length);
	return colon ? add_basic(credentials, &line, colon) : add_bearer(credentials, path, &line);
}

static int read_auth_file(struct credentials *credentials, const char *path)
{
	struct line bytes;
	size_t size;
	char *text;
	int status = read_file(path, CREDENTIALS_FILE_MAX, &text, &size);

	if (status)
		return status;
	bytes = (struct line){text, size};
	status = use_auth_line(credentials, path, &bytes);
	explicit_bzero(text, size);
	free(text);
	return status;
}

/* --- the tenant --- */

static int add_tenant(struct credentials *credentials, const char *tenant)
{
	struct line line = {(char *)tenant, strlen(tenant)}, trimmed = trim(line);

	if (!line.length || line.length > CREDENTIALS_TENANT_MAX || trimmed.length != line.length ||
	    has_control(&line)) {
		log_error("'%s' cannot be a tenant: write 1 to %d printable characters, without blanks at the ends",
			  tenant, CREDENTIALS_TENANT_MAX);
		return STATUS_USAGE;
	}
	return add_header(credentials, "X-Scope-OrgID", tenant, line.length) ? STATUS_DONE : refuse_memory();
}

/* --- the file of headers --- */

/* Headers that say how a request is built. */
static bool is_reserved(const char *name, size_t length)
{
	static const char *const reserved[] = {"Host",	  "Content-Type", "Content-Length",    "Content-Encoding",
					       "Expect",  "Connection",	  "Transfer-Encoding", "TE",
					       "Trailer", "Upgrade",	  "Keep-Alive",	       "Proxy-Connection"};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (strlen(reserved[i]) == length && !strncasecmp(name, reserved[i], length))
			return true;
	return false;
}

static bool is_name(const char *name, size_t length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < length; i++)
		if (!name[i] || !strchr(letters, name[i]))
			return false;
	return length;
}

/* Why the line is no header that can be sent, as the end of a sentence; NULL: it is one. */
static const char *find_fault(const struct credentials *credentials, const struct line *line, const char *colon)
{
	size_t length = colon ? (size_t)(colon - line->text) : 0;

	if (line->length > CREDENTIALS_LINE_MAX)
		return "is too long";
	if (has_control(line))
		return "has control characters";
	if (!colon || !is_name(line->text, length))
		return "does not begin with NAME: of a header";
	if (is_reserved(line->text, length))
		return "has a header that heaptap sets itself";
	if (has_header(credentials, line->text, length))
		return "has a header that is there already";
	if (!trim((struct line){line->text + length + 1, line->length - length - 1}).length)
		return "has a header without a value";
	return credentials->header_count == CREDENTIALS_HEADERS_MAX ? "is one header too many" : NULL;
}

static int use_header_line(struct credentials *credentials, const char *path, unsigned int number,
			   const struct line *line)
{
	const char *colon = memchr(line->text, ':', line->length);
	const char *fault = find_fault(credentials, line, colon);
	struct line value;
	bool added;
	char *name;

	if (fault) {
		log_error("line %u of '%s' %s; write NAME: VALUE", number, path, fault);
		return STATUS_USAGE;
	}
	value = trim((struct line){(char *)colon + 1, line->length - (size_t)(colon + 1 - line->text)});
	name = strndup(line->text, (size_t)(colon - line->text));
	added = name && keep_secret(credentials, strndup(value.text, value.length)) &&
		add_header(credentials, name, value.text, value.length);
	free(name);
	return added ? STATUS_DONE : refuse_memory();
}

static int read_header_file(struct credentials *credentials, const char *path)
{
	struct line rest, line;
	unsigned int number = 0;
	size_t size;
	char *text;
	int status = read_file(path, CREDENTIALS_FILE_MAX, &text, &size);

	if (status)
		return status;
	rest = (struct line){text, size};
	while (!status && next_line(&rest, &line)) {
		number++;
		if (line.length && line.text[0] != '#')
			status = use_header_line(credentials, path, number, &line);
	}
	explicit_bzero(text, size);
	free(text);
	return status;
}

/* --- all of them --- */

int credentials_read(const char *auth_file, const char *tenant, const char *header_file,
		     struct credentials *ret_credentials)
{
	struct credentials credentials = {0};
	int status = auth_file ? read_auth_file(&credentials, auth_file) : STATUS_DONE;

	if (!status && tenant)
		status = add_tenant(&credentials, tenant);
	if (!status && header_file)
		status = read_header_file(&credentials, header_file);
	if (status)
		credentials_release(&credentials);
	else
		*ret_credentials = credentials;
	return status;
}

bool credentials_are_in(const struct credentials *credentials, const char *text)
{
	for (size_t i = 0; i < credentials->secret_count; i++)
		if (strstr(text, credentials->secrets[i]))
			return true;
	return false;
}

static void release(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		explicit_bzero(texts[i], strlen(texts[i]));
		free(texts[i]);
	}
}

void credentials_release(struct credentials *credentials)
{
	release(credentials->headers, credentials->header_count);
	release(credentials->secrets, credentials->secret_count);
	*credentials = (struct credentials){0};
}
