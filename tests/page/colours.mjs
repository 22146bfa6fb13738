// SPDX-License-Identifier: GPL-2.0-or-later
/* What the page tells apart by colour stays apart for those who see no red, no green or no blue, as Chromium shows them its colours. */
import assert from "node:assert/strict";

const DEFICIENCIES = ["none", "protanopia", "deuteranopia", "tritanopia"], SIZE = 10;
/* Each colour of a group from each of the list's other groups; shades within a group mean nothing, or a degree. */
const LISTS = [
	[["program0", "program1", "program2", "program3"], ["library0", "library1", "library2", "library3"], ["wrapper0", "wrapper1", "wrapper2", "wrapper3"]],
	[["more1", "more2", "more3"], ["less1", "less2", "less3"]],
	[["curve"], ["second"]],
	[["match"], ["other"]],
];
const NAMES = LISTS.flat(2);
const PAIRS = LISTS.flatMap((groups) => groups.flatMap((group, at) => group.flatMap((one) => groups.slice(at + 1).flat().map((other) => [one, other]))));

/* In CIE's L*a*b*, where colours 2 apart are hardly two. */
const LEAST = 10;

function labOf(rgb) {
	const [r, g, b] = rgb.map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
	const [x, y, z] = [(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b, (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089]
		.map((value) => value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116);

	return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function distance(a, b) {
	return Math.hypot(...labOf(a).map((value, at) => value - labOf(b)[at]));
}

/* {name: [red, green, blue]} as it is seen. */
async function lookAt(swatches, devtools, deficiency) {
	await devtools.send("Emulation.setEmulatedVisionDeficiency", { type: deficiency });
	const png = (await swatches.screenshot({ clip: { x: 0, y: 0, width: SIZE * NAMES.length, height: SIZE } })).toString("base64");
	const pixels = await swatches.evaluate(async ([data, count, size]) => {
		const picture = new Image(), canvas = document.createElement("canvas").getContext("2d");

		picture.src = `data:image/png;base64,${data}`;
		await picture.decode();
		[canvas.canvas.width, canvas.canvas.height] = [picture.width, picture.height];
		canvas.drawImage(picture, 0, 0);
		return [...Array(count).keys()].map((at) => [...canvas.getImageData((at + 0.5) * size, size / 2, 1, 1).data].slice(0, 3));
	}, [png, NAMES.length, SIZE]);

	return Object.fromEntries(NAMES.map((name, at) => [name, pixels[at]]));
}

export async function assertColours(page) {
	for (const colorScheme of ["light", "dark"]) {
		await page.emulateMedia({ colorScheme });
		const colours = await page.evaluate((names) => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`)), NAMES);
		const swatches = await page.context().newPage(), devtools = await page.context().newCDPSession(swatches);

		await swatches.setContent(colours.map((colour, at) =>
			`<i style="position: fixed; top: 0; left: ${at * SIZE}px; width: ${SIZE}px; height: ${SIZE}px; background: ${colour}"></i>`).join(""));
		for (const deficiency of DEFICIENCIES) {
			const seen = await lookAt(swatches, devtools, deficiency);

			for (const [one, other] of PAIRS)
				assert.ok(distance(seen[one], seen[other]) > LEAST, `${one} and ${other}, ${colorScheme}, ${deficiency}: ${seen[one]}, ${seen[other]}`);
		}
		await swatches.close();
	}
	await page.emulateMedia({ colorScheme: "light" });
}
