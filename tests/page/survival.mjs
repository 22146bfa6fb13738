// SPDX-License-Identifier: GPL-2.0-or-later
/* How long a site's objects live: the curve, its band and the table have the numbers of the profile. */
import assert from "node:assert/strict";
import { rowsOf } from "./browser.mjs";
import { digits, seconds, share } from "./numbers.js";

/* The shares, from 0 to 1, that a path is drawn through: the lowest line of the grid is 0, the highest 1. */
async function drawnBy(page, kind) {
	const [path, ...lines] = await page.evaluate((name) => [document.querySelector(`#survival path.${name}`).getAttribute("d"),
		...[...document.querySelectorAll("#survival line.grid")].map((line) => Number(line.getAttribute("y1")))], kind);
	const none = Math.max(...lines), all = Math.min(...lines);

	return [...path.matchAll(/[ML]\S+ ([0-9.]+)/g)].map(([, y]) => (none - Number(y)) / (none - all));
}

function assertClose(drawn, wanted, what) {
	assert.equal(drawn.length, wanted.length, what);
	drawn.forEach((value, at) => assert.ok(Math.abs(value - wanted[at]) < 0.001, `${what}: ${value} instead of ${wanted[at]}`));
}

/* `curves`: {the site's label: [[age in ns, estimate, lower, upper, at risk], ...]}. */
export async function assertSurvival(page, curves) {
	for (const [label, points] of Object.entries(curves)) {
		/* A step down where the next point is. */
		const stairs = (column) => points.flatMap((point, at) => at ? [points[at - 1][column], point[column]] : [point[column]]);

		await page.locator(`#table tbody button[title=${JSON.stringify(label)}]`).click();
		await page.locator("#survival summary").click();
		assert.deepEqual((await rowsOf(page, "#survival")).map(Object.values), points.map(([age, estimate, lower, upper, risk]) =>
			[seconds(age), ...[estimate, lower, upper].map((value) => share(value, 1)), digits(risk)]));
		assertClose(await drawnBy(page, "curve"), stairs(1), `the curve of ${label}`);
		assertClose(await drawnBy(page, "band"), [...stairs(3), ...stairs(2).reverse()], `the band of ${label}`);
	}
}
