// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * figures.mjs PAGE EXPECTED: the figures on the page of one process are those expected; clicks, keys and searches lead where they should.
 * EXPECTED is JSON: {title, cards: {measure: text}, memory: {resident, heap, kept, files}, site, siteBytes, whole}: the site has a box of its own with `siteBytes` in use of `whole`.
 */
import assert from "node:assert/strict";
import { assertAccessible, boxOf, chooseMeasure, close, end, open, rowsOf, textOf } from "./browser.mjs";
import { assertColours } from "./colours.mjs";
import { assertPrints } from "./paper.mjs";
import { assertPolicy } from "./policy.mjs";

const [path, text] = process.argv.slice(2), expected = JSON.parse(text);
const MEASURES = ["inuse_space", "inuse_objects", "alloc_space", "alloc_objects"];

async function readsTheFigures() {
	const page = await open(path), root = page.locator(".box").first();

	assert.equal(await textOf(page, "#title"), expected.title);
	for (const [at, measure] of MEASURES.entries()) {
		const card = page.locator("#measures label").nth(at);

		assert.equal(await card.locator("strong").innerText(), expected.cards[measure]);
		await chooseMeasure(page, measure);
		assert.ok((await root.getAttribute("aria-label")).startsWith(`all, ${expected.cards[measure]}, 100.0%`));
	}
	await close(page);
}

async function readsTheMemory() {
	const page = await open(path);

	await page.locator("#resident summary").click();
	const rows = Object.fromEntries((await rowsOf(page, "#resident")).map((row) => [row.part, row.resident]));

	assert.equal(await textOf(page, "#resident caption"), `${expected.memory.resident} resident`);
	assert.equal(rows.heap, expected.memory.heap);
	assert.equal(rows["code and other files that are mapped"], expected.memory.files);
	assert.equal(rows["kept free by glibc's malloc, at least"], expected.memory.free);
	assert.equal(rows["allocated before heaptap came, rounded up"], expected.memory.older);
	await close(page);
}

/* In what is seen, and in what is read out. */
async function beginsWithTheVerdicts() {
	const page = await open(path), order = ["#title", "#verdicts", "#measures", "#picture", "#summary"];
	const tops = await Promise.all(order.map(async (selector) => (await page.locator(selector).boundingBox()).y));

	assert.deepEqual(tops, [...tops].sort((a, b) => a - b));
	assert.ok(await page.locator("main > :first-child #verdicts li").count() > 0);
	assert.ok(await page.locator("main section:visible").evaluateAll((sections) => {
		const [verdicts, ...others] = sections.map((section) => section.getBoundingClientRect());

		return others.every(({ top }) => top >= verdicts.bottom);
	}));
	await close(page);
}

async function isPrinted() {
	const page = await open(path);

	await assertPrints(page);
	await close(page);
}

async function keepsColoursApart() {
	const page = await open(path);

	await assertColours(page);
	await close(page);
}

async function refusesWhatIsInjected() {
	const page = await open(path);

	await assertPolicy(page);
	await close(page);
}

async function zoomsBySight() {
	const page = await open(path), box = boxOf(page, expected.site);

	await box.hover();
	assert.equal(await textOf(page, "#box-name"), expected.site);
	assert.ok((await textOf(page, "#box-figures")).startsWith(`${expected.siteBytes} in use`));
	await box.click();
	assert.equal(await boxOf(page, expected.site).getAttribute("aria-level"), "1");
	assert.equal(await page.locator(".box").count(), 1);
	await page.locator("#path button").first().click();
	assert.ok((await page.locator(".box").first().getAttribute("aria-label")).startsWith("all,"));
	await close(page);
}

async function zoomsByKeys() {
	const page = await open(path), named = () => textOf(page, "#box-name");

	await page.locator(".box").first().focus();
	await page.keyboard.press("ArrowDown");
	const first = await named();

	assert.notEqual(first, "all");
	await page.keyboard.press("ArrowUp");
	assert.equal(await named(), "all");
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-level")), "1");
	assert.equal(await named(), first);
	await page.keyboard.press("Escape");
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-level")), "2");
	assert.equal(await named(), first);
	await close(page);
}

async function searches() {
	const page = await open(path);

	await page.keyboard.press("/");
	await page.keyboard.type(expected.site.toUpperCase());
	assert.match(await textOf(page, "#matches"), new RegExp(`^1 boxes: ${expected.siteBytes.replace(/\./g, "\\.")}, [0-9.]+% of all$`));
	assert.equal(await page.locator(".box.match").count(), 1);
	assert.equal((await rowsOf(page, "#table")).length, 1);
	await page.keyboard.press("Escape");
	assert.equal(await textOf(page, "#matches"), "");
	await close(page);
}

/* Each order shows the same whole; inverted, the site is below the root. */
async function turns() {
	const page = await open(path);
	const rootY = async () => (await page.locator(".box").first().boundingBox()).y;
	const icicle = await rootY();

	await page.locator("label[for=flame]").click();
	assert.ok(await rootY() > icicle);
	await page.locator("label[for=inverted]").click();
	assert.equal(await boxOf(page, expected.site).getAttribute("aria-level"), "2");
	assert.ok((await page.locator(".box").first().getAttribute("aria-label")).startsWith(`all, ${expected.cards.inuse_space},`));
	await close(page);
}

async function sorts() {
	const page = await open(path), column = async () => (await rowsOf(page, "#table")).map((row) => row.site);
	const down = await column();

	assert.ok(down[0].startsWith(expected.site));
	await page.locator("#table thead button").nth(1).click();
	assert.notDeepEqual(await column(), down);
	await page.locator("#tab-functions").click();
	const own = (await rowsOf(page, "#table")).find((row) => row.function.startsWith(expected.site));

	assert.equal(own["with callees"], expected.siteBytes);
	assert.equal(own.itself, expected.siteBytes);
	await page.locator("#tab-sites").click();
	await page.locator("#table tbody button").last().click();
	assert.equal(await textOf(page, "#site-name"), expected.site);
	assert.ok((await textOf(page, "#site-figures")).includes(`in use ${expected.siteBytes}`));
	await close(page);
}

async function isForEveryone() {
	for (const scheme of ["light", "dark"])
		for (const width of [1280, 800]) {
			const page = await open(path, { scheme, width });

			await page.locator("#table tbody button").first().click();
			await assertAccessible(page);
			await close(page);
		}
	const page = await open(path, { script: false });

	assert.ok((await textOf(page, "noscript")).includes(`${expected.site}`));
	assert.ok((await textOf(page, "noscript table tbody tr:first-child")).startsWith(`all ${expected.cards.inuse_space}`));
	await close(page);
}

for (const check of [readsTheFigures, readsTheMemory, beginsWithTheVerdicts, zoomsBySight, zoomsByKeys, searches, turns, sorts, isForEveryone, isPrinted,
	keepsColoursApart, refusesWhatIsInjected]) {
	process.stdout.write(`${check.name}\n`);
	await check();
}
await end();
