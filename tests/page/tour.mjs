// SPDX-License-Identifier: GPL-2.0-or-later
/* What a page has to press, all of it: whatever its data are, it shows figures, and fits into the window. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { assertAccessible, textOf } from "./browser.mjs";

/* What a script writes in the place of a figure that it does not have. */
export const NO_FIGURE = /\b(NaN|undefined|null|Infinity)\b|\[object/;

/* Every text and attribute. */
export async function assertFigures(page) {
	assert.deepEqual(await page.evaluate((pattern) => {
		const wrong = new RegExp(pattern), found = [];

		for (const element of document.querySelectorAll("#page, #page *")) {
			const texts = [...element.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE).map((child) => child.data);

			found.push(...[...texts, ...[...element.attributes].map(({ name, value }) => `${name}=${value}`)].filter((text) => wrong.test(text)));
		}
		return found.slice(0, 5);
	}, NO_FIGURE.source), []);
}

async function assertFits(page) {
	const [wanted, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);

	assert.ok(wanted <= room, `${wanted} pixels in ${room}`);
}

async function sortByAll(page) {
	for (const head of await page.locator("#table thead button").all())
		for (const order of ["once", "again"]) {
			await head.click();
			assert.ok(await page.locator("#table thead th[aria-sort]").count() === 1, order);
		}
}

async function narrow(page) {
	const { width, height } = page.viewportSize();

	await page.setViewportSize({ width: 800, height });
	await page.waitForFunction(() => document.querySelector("#picture svg").width.baseVal.value < 800);
	await assertFigures(page);
	await assertFits(page);
	await page.setViewportSize({ width, height });
}

export async function tour(page) {
	await assertFigures(page);
	await assertFits(page);
	for (const card of await page.locator("#measures input:enabled + label").all()) {
		await card.click();
		await assertFigures(page);
	}
	for (const order of ["flame", "inverted", "icicle"]) {
		await page.locator(`label[for=${order}]`).click();
		await assertFigures(page);
	}
	for (const tab of ["functions", "sites"]) {
		await page.locator(`#tab-${tab}`).click();
		await sortByAll(page);
		await assertFigures(page);
	}
	await page.locator("#search").fill("nothing has such a name");
	assert.equal(await textOf(page, "#matches"), "nothing in the picture has that name");
	await page.locator("#search").press("Escape");
	assert.equal(await page.locator("#search").inputValue(), "");
	for (const site of await page.locator("#table tbody button").all().then((all) => all.slice(0, 3))) {
		await site.click();
		assert.ok(await page.locator("#site").isVisible());
		await assertFigures(page);
		await assertFits(page);
	}
	for (const box of [page.locator(".box").first(), page.locator(".box").last()]) {
		/* It may be narrower than a pixel. */
		await box.dispatchEvent("click");
		await assertFigures(page);
		await page.keyboard.press("Escape");
	}
	await narrow(page);
	await assertAccessible(page);
}

/* A copy of a page, beside it, with other data: `change(data)` makes them. Its path. */
export function copyWith(path, name, change) {
	const [before, text, after] = readFileSync(path, "utf8").split(/(?<=id="data">)([^<]*)(?=<\/script>)/), data = JSON.parse(text);
	const copy = path.replace(/\.html$/, `.${name}.html`);

	change(data);
	writeFileSync(copy, before + JSON.stringify(data).replaceAll("<", "\\u003c") + after);
	return copy;
}
