// SPDX-License-Identifier: GPL-2.0-or-later
/* What gets into the page against its will, as no name of a function does, still neither runs nor asks for anything: the page's policy refuses it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";

/* All kinds of what runs, is loaded, or sends. */
function inject(url) {
	const add = (tag, attributes) => {
		const element = document.createElement(tag);

		for (const [name, value] of Object.entries(attributes))
			name === "text" ? element.textContent = value : element.setAttribute(name, value);
		document.body.append(element);
		return element;
	};

	globalThis.refused = [];
	document.addEventListener("securitypolicyviolation", (event) => globalThis.refused.push(event.effectiveDirective));
	add("script", { text: "globalThis.taken = true" });
	add("i", { onclick: "globalThis.taken = true" }).click();
	add("script", { src: `${url}script` });
	add("img", { src: `${url}img` });
	add("link", { rel: "stylesheet", href: `${url}style` });
	add("style", { text: "#page { display: none }" });
	add("iframe", { src: `${url}frame` });
	add("base", { href: url });
	add("form", { action: `${url}form`, target: "_blank" }).submit();
	fetch(`${url}fetch`).catch(() => {});
}

/* What refuses each. */
const DIRECTIVES = ["base-uri", "connect-src", "form-action", "frame-src", "img-src", "script-src-attr", "script-src-elem", "script-src-elem",
	"style-src-elem", "style-src-elem"];

/* The page's last: what was added stays in it. */
export async function assertPolicy(page) {
	const asked = [], server = createServer((request, answer) => asked.push(request.url) && answer.end("globalThis.taken = true"));

	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	/* The browser tells of what it refuses as of what it does. */
	page.removeAllListeners("request");
	page.removeAllListeners("console");
	await page.evaluate(inject, `http://127.0.0.1:${server.address().port}/`);
	await page.waitForFunction((count) => globalThis.refused.length >= count, DIRECTIVES.length);
	assert.deepEqual(await page.evaluate(() => globalThis.refused.sort()), DIRECTIVES);
	assert.equal(await page.evaluate(() => globalThis.taken), undefined);
	assert.ok(await page.locator("#page").isVisible());
	assert.deepEqual(asked, []);
	server.close();
}
