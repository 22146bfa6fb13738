// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gradual.mjs PAGE PAIR: a page whose data have not all come, as from a slow disk or line, shows what is largest, can be used, and keeps what
 * was chosen when the rest comes. One whose rest never comes says so. PAIR is that of two profiles.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { close, end, open, textOf, textsOf } from "./browser.mjs";
import { tour } from "./tour.mjs";

const DATA = '<script type="application/json" id="data">';

/* Serves the file up to its data and half of these, and the rest when `go` is called, or never. */
async function serveSlowly(path) {
	const text = readFileSync(path, "utf8"), at = text.indexOf(DATA) + DATA.length, half = at + Math.floor((text.length - at) / 2);
	const serving = {}, rest = new Promise((resolve) => Object.assign(serving, { go: () => resolve(text.slice(half)), cut: () => resolve("") }));
	const server = createServer(async (_, answer) => {
		answer.setHeader("Content-Type", "text/html");
		answer.write(text.slice(0, half));
		answer.end(await rest);
	});

	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return Object.assign(serving, { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() });
}

/* All that shows what was chosen. */
async function chosenOf(page) {
	return {
		path: await textsOf(page, "#path li"),
		measure: await page.locator("#measures input:checked").getAttribute("id"),
		order: await page.locator("input[name=order]:checked").getAttribute("id"),
		tab: await textsOf(page, ".choice button[aria-pressed=true]"),
		search: await page.locator("#search").inputValue(),
		site: await page.locator("#site").isVisible() ? await textOf(page, "#site-name") : null,
	};
}

/* Two boxes deep, into one that has a name. */
async function zoom(page) {
	for (let depth = 2; depth < 4; depth++)
		await page.locator(`.box[aria-level="${depth}"][aria-label^="wide::"]`).first().click();
}

async function choose(page, isPair) {
	await page.locator("label[for=measure-1]").click();
	await page.locator("label[for=flame]").click();
	if (isPair)
		await page.locator("#kept button", { hasText: "gone" }).click();
	else
		await page.locator("#table tbody button").nth(3).click();
	await zoom(page);
	await page.locator("#search").fill("function_with_a_name");
	if (!isPair)
		await page.locator("#tab-functions").click();
}

/* 500 of the pair's sites are listed, or those that have come; half of its 4000 are gone. */
async function assertCounted(page, listed) {
	for (const [kind, all] of [["all", "4 000"], ["gone", "2 000"]]) {
		await page.locator("#kept button", { hasText: kind }).click();
		assert.equal(await textOf(page, "#table caption"), `${listed} of ${all} sites listed, A before and B after`);
	}
}

async function assertKept(path, isPair) {
	const slow = await serveSlowly(path);
	let cards = null, states = null, chosen = null;
	const page = await open(slow.url, { meanwhile: async (early) => {
		cards = await textsOf(early, "#measures label");
		states = await textsOf(early, "#verdicts li");
		if (isPair)
			await assertCounted(early, 24);
		await choose(early, isPair);
		chosen = await chosenOf(early);
		slow.go();
	} });

	assert.ok(chosen.path.length >= 3, `${chosen.path}`);
	assert.equal(chosen.site !== null, !isPair);
	assert.deepEqual(await chosenOf(page), chosen);
	assert.deepEqual(await textsOf(page, "#measures label"), cards);
	assert.deepEqual(await textsOf(page, "#verdicts li"), states);
	if (isPair)
		await assertCounted(page, 500);
	await tour(page);
	await close(page);
	slow.stop();
}

async function assertCut(path) {
	const slow = await serveSlowly(path);
	const page = await open(slow.url, { meanwhile: slow.cut });

	assert.match(await textOf(page, "#verdicts"), /^this file is cut off/);
	await tour(page);
	await close(page);
	slow.stop();
}

const [single, pair] = process.argv.slice(2);

await assertKept(single, false);
await assertKept(pair, true);
await assertCut(pair);
await end();
