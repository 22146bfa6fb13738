// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of functions in little room. What is left out stands in the details of a box. */

/* Characters of two columns: those of East Asian scripts, and pictures. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\ud83c-\ud83e][\udc00-\udfff]/;

function columnsOf(character) {
	return WIDE.test(character) ? 2 : 1;
}

function width(characters) {
	return characters.reduce((sum, character) => sum + columnsOf(character), 0);
}

/* Its end, which tells most, in so many columns: without its namespaces if that is enough. "" where nothing readable would be left. */
export function cutName(name, columns) {
	let left = columns - 1, at;
	const characters = Array.from(name);

	if (width(characters) <= columns)
		return name;
	for (at = name.indexOf("::"); at >= 0; at = name.indexOf("::", at + 2))
		if (width(Array.from(name.slice(at + 2))) < columns)
			return "\u2026" + name.slice(at + 2);
	for (at = characters.length; at > 0 && columnsOf(characters[at - 1]) <= left; at--)
		left -= columnsOf(characters[at - 1]);
	return columns < 3 ? "" : "\u2026" + characters.slice(at).join("");
}

/* Whether one of these texts, some of which may be unknown, has `text` in it. */
export function holds(text, ...names) {
	return names.some((name) => name && name.toLowerCase().includes(text.toLowerCase()));
}

export const ROLES = ["program", "library", "wrapper"];

/* One of `count` shades, the same for a name in every page. */
export function shadeOf(name, count) {
	let hash = 0;

	for (let at = 0; at < name.length; at++)
		hash = hash * 31 + name.charCodeAt(at) | 0;
	return (hash >>> 8) % count;
}
