// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile.mjs DIR NAMES: a function's name that tries to be more is a text like any other, wherever it shows. NAMES is JSON, a list; the
 * page of the first is DIR/0.html.
 */
import assert from "node:assert/strict";
import { assertAccessible, assertQuiet, close, end, open, textOf } from "./browser.mjs";

async function isText(page, name) {
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
	assertQuiet(page);
}

async function isPlain(page) {
	assert.equal(await page.locator("noscript img, noscript script, noscript b").count(), 0);
	assertQuiet(page);
}

const [directory, names] = process.argv.slice(2);

let tab, plain;

for (const [at, name] of JSON.parse(names).entries()) {
	const path = `${directory}/${at}.html`;

	tab = await open(path, { tab });
	await isText(tab, name);
	plain = await open(path, { tab: plain, script: false });
	await isPlain(plain);
}
await close(tab);
await close(plain);
await end();
