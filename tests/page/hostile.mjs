// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile.mjs DIR NAMES: a function's name that tries to be more is a text like any other, wherever it shows. NAMES is JSON, a list; the
 * page of the first is DIR/0.html.
 */
import assert from "node:assert/strict";
import { assertAccessible, close, end, open, textOf } from "./browser.mjs";

async function isText(path, name) {
	const page = await open(path);

	assert.equal(await page.locator("script").count(), 3);
	assert.equal(await page.locator("img, iframe, b, a, link, object").count(), 0);
	await page.locator('.box[aria-level="3"]').first().hover();
	assert.equal(await textOf(page, "#box-name"), name);
	await page.locator("#search").fill(name.slice(0, 12));
	assert.match(await textOf(page, "#matches"), /^1 boxes: /);
	await page.locator("#table tbody button").first().click();
	assert.ok((await textOf(page, "#site-stack")).includes(name));
	assert.equal(await page.evaluate(() => globalThis.taken), undefined);
	await assertAccessible(page);
	await close(page);
}

async function isPlain(path) {
	const page = await open(path, { script: false });

	assert.equal(await page.locator("noscript img, noscript script, noscript b").count(), 0);
	await close(page);
}

const [directory, names] = process.argv.slice(2);

for (const [at, name] of JSON.parse(names).entries()) {
	await isText(`${directory}/${at}.html`, name);
	await isPlain(`${directory}/${at}.html`);
}
await end();
