// SPDX-License-Identifier: GPL-2.0-or-later
/* The page on paper: no controls, which nobody can press there, but all that it says, in dark letters, and tables in their whole length. */
import assert from "node:assert/strict";

const CONTROLS = ["#search", "label[for=icicle]", "#tab-sites", "#kept button", "#chooser", "#range input", "button.more", "kbd"];
const CONTENTS = ["#title", "#verdicts li", "#measures strong", ".box", "#table caption", "#table thead th", "#table tbody tr"];

async function visible(page, selector) {
	const shown = await page.locator(selector).all().then((all) => Promise.all(all.map((one) => one.isVisible())));

	return shown.filter(Boolean).length;
}

export async function assertPrints(page) {
	const onScreen = Object.fromEntries(await Promise.all(CONTENTS.map(async (selector) => [selector, await visible(page, selector)])));

	assert.ok(await visible(page, "#search") && await visible(page, "#tab-sites"));
	await page.emulateMedia({ media: "print", colorScheme: "dark" });
	for (const selector of CONTROLS)
		assert.equal(await visible(page, selector), 0, selector);
	for (const selector of CONTENTS) {
		assert.ok(onScreen[selector] > 0, selector);
		assert.equal(await visible(page, selector), onScreen[selector], selector);
	}
	assert.deepEqual(await page.evaluate(() => [document.body, document.querySelector("#table")].map((element) => {
		const { backgroundColor, color, maxHeight, overflowY } = getComputedStyle(element);

		return element === document.body ? [backgroundColor, color] : [maxHeight, overflowY];
	})), [["rgb(255, 255, 255)", "rgb(32, 29, 25)"], ["none", "visible"]]);
	await page.emulateMedia({ media: "screen", colorScheme: "light" });
}
