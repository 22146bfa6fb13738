// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers for people, as base/units.c writes them, and the four measures in Go's order. */

export const ALLOC_OBJECTS = 0, ALLOC_SPACE = 1, INUSE_OBJECTS = 2, INUSE_SPACE = 3;
export const MEASURES = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"];
export const WORDS = ["objects allocated", "allocated", "objects in use", "in use"];

export function isSpace(measure) {
	return measure === ALLOC_SPACE || measure === INUSE_SPACE;
}

export function isInuse(measure) {
	return measure >= INUSE_OBJECTS;
}

/* As printf("%.*f"): a number in the middle goes to the even digit, where toFixed() takes the larger. Such numbers are quarters. */
function fixed(number, digits) {
	const scale = 10 ** digits, below = Math.floor(number * scale);

	if (number * scale - below === 0.5 && number * 4 % 1 === 0 && below % 2 === 0)
		return (below / scale).toFixed(digits);
	return number.toFixed(digits);
}

export function bytes(number) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let unit = 0;

	for (; number >= 1023.95 && unit < units.length - 1; unit++)
		number /= 1024;
	return fixed(number, unit ? 1 : 0) + " " + units[unit];
}

export function digits(number) {
	return Math.round(number).toFixed(0).replace(/\B(?=(\d{3})+$)/g, " ");
}

export function seconds(ns) {
	for (const [least, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "us"]])
		if (ns >= least)
			return fixed(ns / least, ns >= 100 * least ? 0 : 1) + " " + unit;
	return fixed(ns, 0) + " ns";
}

export function share(part, whole) {
	return whole > 0 ? fixed(100 * part / whole, 1) + "%" : "";
}

export function amount(number, measure) {
	return isSpace(measure) ? bytes(number) : digits(number);
}

export function change(number, measure) {
	return (number < 0 ? "-" : number > 0 ? "+" : "") + amount(Math.abs(number), measure);
}

/* A standard error; nothing where there is none, or none is known. */
export function plusMinus(error, measure) {
	return error ? `\u00b1${amount(error, measure)}` : "";
}
