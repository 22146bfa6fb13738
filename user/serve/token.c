/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/token.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "system/private_file.h"

int token_read(const char *path, struct token *ret_token)
{
	char line[TOKEN_MAX + 2];
	size_t size, length;
	int err = private_file_read(path, line, sizeof(line) - 1, &size);

	if (err)
		return err;
	line[size] = '\0';
	length = strcspn(line, "\r\n");
	if (length < TOKEN_MIN || length > TOKEN_MAX || (!line[length] && length < size)) /* a NUL is no blank */
		return -EINVAL;
	for (size_t i = 0; i < length; i++)
		if (line[i] <= ' ' || line[i] > '~')
			return -EINVAL;
	memcpy(ret_token->text, line, length);
	ret_token->text[length] = '\0';
	return 0;
}

/* As many steps as `given` has bytes, whatever they are. */
static bool equals(const char *given, size_t length, const char *token)
{
	size_t token_length = strlen(token);
	unsigned char differs = length != token_length;

	for (size_t i = 0; i < length; i++)
		differs |= (unsigned char)(given[i] ^ token[i % token_length]);
	return !differs;
}

static int value_of(char character)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = character ? strchr(digits, character) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Base64 to bytes, of which there are *ret_size. False: it is none, or too long. */
static bool decode(const char *text, char *bytes, size_t room, size_t *ret_size)
{
	unsigned int bits = 0, value = 0;
	size_t size = 0;

	for (; value_of(*text) >= 0; text++) {
		value = (value << 6 | (unsigned int)value_of(*text)) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (size == room)
			return false;
		bytes[size++] = (char)(value >> bits);
	}
	*ret_size = size;
	return !text[strspn(text, "=")];
}

static bool is_basic(const struct token *token, const char *encoded)
{
	char bytes[2 * TOKEN_MAX];
	const char *colon;
	size_t size;

	if (!decode(encoded, bytes, sizeof(bytes), &size))
		return false;
	colon = memchr(bytes, ':', size);
	return colon && equals(colon + 1, size - (size_t)(colon + 1 - bytes), token->text);
}

bool token_is_shown(const struct token *token, const char *authorization)
{
	static const char bearer[] = "Bearer ", basic[] = "Basic ";

	if (!authorization)
		return false;
	if (!strncasecmp(authorization, bearer, strlen(bearer)))
		return equals(authorization + strlen(bearer), strlen(authorization) - strlen(bearer), token->text);
	return !strncasecmp(authorization, basic, strlen(basic)) && is_basic(token, authorization + strlen(basic));
}
