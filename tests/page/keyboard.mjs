// SPDX-License-Identifier: GPL-2.0-or-later
/* keyboard.mjs PAGE: all of a page of more than a hundred sites, by keys alone. No key takes the focus away from where it was of use. */
import assert from "node:assert/strict";
import { close, end, open, textOf } from "./browser.mjs";

const page = await open(process.argv[2]);

const isAt = (selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
const attribute = (name) => page.evaluate((wanted) => document.activeElement.getAttribute(wanted), name);
const text = () => page.evaluate(() => document.activeElement.textContent);

async function press(...keys) {
	for (const key of keys) {
		await page.keyboard.press(key);
		assert.equal(await isAt("body"), false, `${key} loses the focus`);
	}
}

/* By Tab, or another key. */
async function goTo(selector, key = "Tab") {
	let stops = 0;

	do
		await press(key);
	while (!await isAt(selector) && ++stops < 300);
	assert.ok(stops < 300, `${key} does not lead to ${selector}`);
}

async function choosesMeasureAndOrder() {
	const measured = () => textOf(page, "#table thead th:nth-child(2)");

	await goTo("input[name=measure]");
	assert.match(await measured(), /^in use/);
	await press("ArrowDown");
	assert.match(await measured(), /^objects in use/);
	await press("ArrowUp");
	await goTo("input[name=order]");
	await press("ArrowRight");
	assert.ok(await isAt("#flame:checked"));
	await press("ArrowLeft");
	assert.ok(await isAt("#icicle:checked"));
}

async function searches() {
	await press("/");
	assert.ok(await isAt("#search"));
	await page.keyboard.type("module_0");
	assert.match(await textOf(page, "#matches"), / boxes: /);
	await press("Escape");
	assert.equal(await textOf(page, "#matches"), "");
}

async function walksInThePicture() {
	await goTo(".box");
	assert.equal(await attribute("aria-level"), "1");
	await press("ArrowDown");
	assert.equal(await attribute("aria-level"), "2");
	await press("ArrowRight");
	assert.equal(await attribute("aria-posinset"), "2");
	await press("ArrowLeft", "ArrowLeft");
	assert.equal(await attribute("aria-posinset"), "1");
	const label = await attribute("aria-label");

	await press("Enter");
	assert.deepEqual([await attribute("aria-level"), await attribute("aria-label")], ["1", label]);
	await press("Escape");
	assert.deepEqual([await attribute("aria-level"), await attribute("aria-label")], ["2", label]);
	await press("Enter");
	await goTo("#path button", "Shift+Tab");
	await press("Enter");
	assert.deepEqual([await attribute("aria-level"), await attribute("aria-label")], ["2", label]);
	await press("Home");
	assert.match(await attribute("aria-label"), /^all, /);
	/* One stop for all of it. */
	await press("Tab");
	assert.equal(await isAt(".box"), false);
}

async function usesTheTable() {
	await goTo("#tab-functions");
	await press("Enter");
	assert.ok(await isAt("#tab-functions[aria-pressed=true]"));
	await goTo("#tab-sites", "Shift+Tab");
	await press(" ");
	assert.ok(await isAt("#tab-sites[aria-pressed=true]"));
	await goTo("#kept button");
	await goTo("#table thead button");
	const head = await text();

	await press("Enter", "Enter");
	assert.equal((await text()).slice(0, 4), head.slice(0, 4));
	assert.ok(await isAt("th[aria-sort] button"));
	await goTo("#table tbody button");
	const site = await text();

	await press("Enter");
	assert.ok(await page.locator("#site").isVisible());
	assert.ok(await isAt("tr.chosen button"));
	assert.equal(await text(), site);
}

async function opensTheSummary() {
	await goTo("#site-stack");
	await goTo("#summary > summary");
	await press("Enter");
	assert.ok(await page.locator("#summary-text").isVisible());
}

async function showsMore() {
	await goTo("#table button.more", "Shift+Tab");
	await press("Enter");
	assert.ok(await page.evaluate(() => document.activeElement.closest("tr") === document.querySelectorAll("#table tbody tr")[100]));
}

for (const check of [choosesMeasureAndOrder, searches, walksInThePicture, usesTheTable, opensTheSummary, showsMore]) {
	process.stdout.write(`${check.name}\n`);
	await check();
}
await close(page);
await end();
