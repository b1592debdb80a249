import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {after, test} from 'node:test';
import type {Page} from 'playwright-core';
import {openPage, startBrowser} from './browser.ts';
import {setUpInspector} from './helpers.ts';

/*
Everything that an origin or a caller can choose, with markup in it: nothing of it may become an element, run, or be fetched. `openPage()` finds errors, dialogs, refusals by the policy and requests to other places.
*/

const browser = await startBrowser();

after(async () => {
	await browser.close();
});

const markup = '"><script>globalThis.hasRun=1;alert(1)</script><img src=x onerror="globalThis.hasRun=1"><svg onload=alert(1)><iframe src="https://evil.example/">';

/** Elements that the page itself never has, beside its own pictures and script. */
const foreignElements = 'iframe, object, embed, base, style, main script, main svg:not(.chart), img:not([src="icon.svg"]), [onerror], [onload], a[href^="javascript:"], a[href^="http"]';

const assertNothingRan = async (page: Page, where: string): Promise<void> => {
	assert.equal(await page.evaluate('globalThis.hasRun'), undefined, where);
	assert.equal(await page.locator(foreignElements).count(), 0, where);
};

test('markup in bodies, URLs, header fields, tags and reasons stays text in every view', async () => {
	await using setup = await setUpInspector();
	const {origin, client, cache} = setup;
	origin.handler = (_request, response) => {
		response.writeHead(200, {
			'cache-control': 'max-age=600',
			'content-type': `text/html;${markup}`,
			vary: 'x-evil',
			'x-origin': markup,
			etag: `"${markup.replaceAll('"', '')}"`,
			'cache-groups': '"<img>"',
		});
		response.end(markup);
	};

	const path = `a?b=${encodeURIComponent(markup)}&c='"<img onerror=alert(1)>`;
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('live');
	await page.getByText('No requests yet.').waitFor();
	await client(path, {headers: {'x-evil': markup}, context: {cache: {tags: [markup, '</a><img src=x onerror=alert(1)>']}}});
	await page.locator('.entries tbody tr').first().waitFor();
	await assertNothingRan(page, 'live');

	await opened.go('entries');
	await page.locator('.entries tbody tr').first().waitFor();
	assert.ok((await page.locator('.entries .tag').allTextContents()).includes(`#${markup}`));
	await assertNothingRan(page, 'entries');

	await page.locator('.entries .url').click();
	await page.getByText(`Text, ${Buffer.byteLength(markup)} B`).waitFor();
	assert.equal(await page.locator('pre.body').last().textContent(), markup);
	assert.ok((await page.locator('.headers').textContent())?.includes(markup));
	await page.getByText('All of the explanation').click();
	await assertNothingRan(page, 'entry');
	await page.getByRole('button', {name: 'Purge', exact: true}).click();
	await assertNothingRan(page, 'dialog');
	await opened.answer('Cancel');

	await opened.go('overview');
	await page.locator('.bars .label').first().waitFor();
	await assertNothingRan(page, 'overview');

	for (const view of ['entries', 'entry', 'explain', 'live', 'overview', 'purge', 'health', markup]) {
		await page.evaluate(
			`location.hash = ${JSON.stringify(`#/${view}?key=${encodeURIComponent(markup)}&url=${encodeURIComponent(markup)}&search=${encodeURIComponent(markup)}&origin=${encodeURIComponent(markup)}&tag=${encodeURIComponent(markup)}&since=${encodeURIComponent(markup)}&method=${encodeURIComponent(markup)}`)}`,
		);
		await page.locator('.view > *').nth(1).waitFor();
		await assertNothingRan(page, view);
	}

	// What the handler has refused, the browser tells.
	assert.deepEqual(opened.problems.splice(0).filter(problem => !/^Failed to load resource: .*40[04]/v.test(problem)), []);
	assert.ok(await cache.has({url: `${origin.url}/${path}`, headers: {'x-evil': markup}}));
});

const documents = [
	['an SVG', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.hasRun=1"><script>globalThis.hasRun=1</script></svg>'],
	['HTML that is called a picture', 'image/png', `<html><body onload="globalThis.hasRun=1">${markup}</body></html>`],
	['HTML behind the name of a GIF', 'text/html', 'GIF8<script>globalThis.hasRun=1</script>'],
	['JavaScript', 'text/javascript', 'globalThis.hasRun=1'],
	['JSON with markup in it', 'application/json', JSON.stringify({[markup]: markup})],
	['XML with an entity', 'application/xml', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
] as const;

for (const [what, type, body] of documents) {
	test(`${what} is shown as text`, async () => {
		await using setup = await setUpInspector();
		setup.origin.queue({headers: {'cache-control': 'max-age=60', 'content-type': type}, body});
		await setup.client('document');
		await using opened = await openPage(browser, setup.inspector);
		const {page} = opened;
		await opened.go('entries');
		await page.locator('.entries .url').click();
		await page.getByText(/^Text, /v).waitFor();

		assert.equal((await page.locator('pre.body').last().textContent())?.replaceAll(/\s/gv, ''), body.replaceAll(/\s/gv, ''));
		await assertNothingRan(page, what);
	});
}

test('characters that hide or turn text are shown as escapes', async () => {
	await using setup = await setUpInspector();
	const {origin, client} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60'}, body: 'a'});
	await client('items', {context: {cache: {tags: ['user\u{202E}gnp.exe', 'a\u{200B}b']}}});
	await using opened = await openPage(browser, setup.inspector);
	await opened.go('entries');
	await opened.page.locator('.entries .tag').first().waitFor();

	assert.deepEqual((await opened.page.locator('.entries .tag').allTextContents()).toSorted((one, other) => one.localeCompare(other)), [String.raw`#a\u{200B}b`, String.raw`#user\u{202E}gnp.exe`]);
});

test('the page cannot be framed, and has no script but its own', async () => {
	await using setup = await setUpInspector();
	await using opened = await openPage(browser, setup.inspector);
	const {page, problems} = opened;
	const run = async (code: string) => page.evaluate(`(() => { try { ${code}; return 'done'; } catch (error) { return error.name; } })()`);

	assert.equal(await run('document.body.innerHTML = \'<img src=x onerror=alert(1)>\''), 'TypeError');
	assert.equal(await run('document.createElement(\'script\').text = \'alert(1)\''), 'TypeError');
	await run('const image = new Image(); image.src = \'https://evil.example/\'; document.body.append(image)');
	await run('void fetch(\'https://evil.example/\').catch(() => 0)');
	await run(`const frame = document.createElement('iframe'); frame.src = ${JSON.stringify(new URL('/', setup.inspector.url).href)}; document.body.append(frame)`);
	await page.waitForEvent('console', {predicate: () => problems.filter(problem => problem.includes('Content Security Policy')).length >= 3});
	const refused = problems.splice(0);

	assert.deepEqual(refused.filter(problem => problem.startsWith('dialog')), []);
	assert.ok(refused.some(problem => problem.includes('img-src')));
	assert.ok(refused.some(problem => problem.includes('connect-src')));
});
