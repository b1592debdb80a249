import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {after, test} from 'node:test';
import type {Page} from 'playwright-core';
import type {ExportedResponse} from '../../source/index.ts';
import {startInspector} from '../../source/inspector.ts';
import {respond, type Handler} from '../helpers/origin.ts';
import {hasCount, openPage, startBrowser} from './browser.ts';
import {setUpInspector, type InspectorSetup} from './helpers.ts';
import {pngOf} from './png.ts';

/*
The page in a real browser: every view and every button of it.
*/

const browser = await startBrowser();

after(async () => {
	await browser.close();
});

const answer: Handler = ({url, headers}, response) => {
	const [, kind] = url.split('/', 2);
	const body = kind === 'picture' ? pngOf(40, 20) : `{"path":"${url}","id":12345678901234567890,"list":[1,{}],"language":"${headers['accept-language'] ?? ''}"}`;
	respond(response, {headers: {
		'cache-control': kind === 'stale' ? 'max-age=0, stale-if-error=600' : 'max-age=600, stale-while-revalidate=60',
		'content-type': kind === 'picture' ? 'text/plain' : 'application/json',
		etag: '"1"',
		...kind === 'vary' && {vary: 'accept-language'},
	}, body});
};

/** Has responses stored by their paths; each has the tag of the first part of its path. */
const store = async ({origin, client}: InspectorSetup, paths: readonly string[]): Promise<void> => {
	origin.handler = answer;
	for (const path of paths) {
		await client(path, {context: {cache: {tags: [path.split('/', 1)[0]]}}});
	}
};

const rows = (page: Page) => page.locator('.entries tbody tr');

const urlsIn = async (page: Page): Promise<string[]> => (await rows(page).locator('.url').allTextContents()).map(url => new URL(url).pathname).toSorted();

const isStored = async ({cache, origin}: InspectorSetup, path: string): Promise<boolean> => cache.has(`${origin.url}/${path}`, {stale: true});

test('the overview counts requests, draws them over time, and changes its period', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1', 'items/1', 'items/1', 'prices/1']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await page.locator('.tile.main strong', {hasText: '50%'}).waitFor();
	assert.match(await page.locator('.tile.main').innerText(), /2 of 4 requests/v);
	assert.equal(await page.locator('svg.chart').count(), 2);
	assert.equal(await page.locator('svg.chart .fill.hit').count(), 1);
	assert.deepEqual(await page.locator('.bars .label').first().allTextContents(), [`${setup.origin.url}/items/1`]);

	await page.getByText('As a table').first().click();
	assert.equal(await page.locator('.as-table table').first().locator('tbody tr').count(), 61);
	await page.getByRole('button', {name: '15 min'}).click();
	await page.getByRole('button', {name: '15 min', pressed: true}).waitFor();
	await page.getByText('As a table').first().click();
	assert.equal(await page.locator('.as-table table').first().locator('tbody tr').count(), 16);
	for (const period of ['6 hours', '1 day', '2 days', '1 hour']) {
		await page.getByRole('button', {name: period}).click();
		await page.getByRole('button', {name: period, pressed: true}).waitFor();
		await page.locator('svg.chart').first().waitFor();
	}

	await page.getByRole('link', {name: `${setup.origin.url}/items/1`}).click();
	await hasCount(rows(page), 1);
	assert.deepEqual(await urlsIn(page), ['/items/1']);

	await opened.go(`entries?search=${encodeURIComponent(`${setup.origin.url}/never`)}`);
	await page.getByRole('link', {name: 'Explain this URL'}).click();
	await page.getByText('Nothing is stored for this request.').waitFor();
	assert.equal(await page.locator('#store .place').innerText(), `${setup.redis.url} · namespace http_cache`);
});

test('without a Redis, the overview says whose requests it counts', async () => {
	await using setup = await setUpInspector({store: 'memory'});
	await store(setup, ['items/1']);
	await using opened = await openPage(browser, setup.inspector);
	await opened.page.getByText('These are the requests of this process alone.').waitFor();
	assert.match(await opened.page.locator('.tile.main').innerText(), /0 of 1 requests/v);
});

test('entries are filtered by what is typed and chosen, and all are shown again', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1', 'items/2', 'prices/1', 'stale/1']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await page.getByRole('link', {name: 'Entries'}).click();
	await rows(page).nth(3).waitFor();

	const filter = async (change: () => Promise<unknown>, expected: readonly string[]) => {
		await change();
		await page.getByRole('button', {name: 'Search'}).click();
		await hasCount(rows(page), expected.length);
		assert.deepEqual(await urlsIn(page), expected);
		await page.getByRole('link', {name: 'Reset'}).click();
		await hasCount(rows(page), 4);
	};

	await filter(async () => page.getByLabel('Search').fill('ITEMS/'), ['/items/1', '/items/2']);
	await filter(async () => page.getByLabel('Tag').fill('prices'), ['/prices/1']);
	await filter(async () => page.getByLabel('State').selectOption('stale'), ['/stale/1']);
	await filter(async () => page.getByLabel('Origin').fill('https://nobody.example'), []);
	await rows(page).filter({hasText: '/prices/1'}).getByRole('link', {name: '#prices'}).click();
	await hasCount(rows(page), 1);
	assert.equal(await page.getByLabel('Tag').inputValue(), 'prices');
});

test('entries are sorted as a whole, on request', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1', 'items/22', 'items/333']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('entries');
	await hasCount(rows(page), 3);
	await page.getByLabel('Order').selectOption('largest');
	await page.getByRole('button', {name: 'Search'}).click();
	// The list before it has any order, so that its first entry may be the same.
	for (const [position, path] of ['/items/333', '/items/22', '/items/1'].entries()) {
		await rows(page).nth(position).filter({hasText: path}).waitFor();
	}

	assert.equal(await page.getByLabel('Order').inputValue(), 'largest');
});

test('a page that only shows has no purges, no switches and no check', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1']);
	await using inspector = await startInspector({cache: setup.cache, readOnly: true});
	await using opened = await openPage(browser, inspector);
	const {page} = opened;
	await opened.go('entries');
	await page.getByRole('link', {name: 'Health'}).waitFor();
	assert.equal(await page.getByRole('link', {name: 'Purge'}).count(), 0);
	assert.equal(await page.locator('#mode').innerText(), 'read-only');
	await page.evaluate('location.hash = "#/purge"');
	await page.getByText('This inspector is read-only: it purges and freezes nothing.').waitFor();
	await page.evaluate('location.hash = "#/nowhere"');
	await page.getByText('There is no such view.').waitFor();
	await opened.go('entries');
	await rows(page).locator('.url').click();
	await page.locator('pre.body').first().waitFor({state: 'attached'});
	assert.equal(await page.getByRole('button', {name: /purge/iv}).count(), 0);
	await opened.go('health');
	await page.getByText('The store is read and written.').waitFor();
	assert.equal(await page.getByRole('button', {name: 'Check the store'}).count(), 0);
});

test('a URL that is not stored is listed with its reason, which leads to what to do about it', async () => {
	await using setup = await setUpInspector();
	setup.origin.handler = (_request, response) => {
		respond(response, {headers: {'cache-control': 'private'}, body: 'mine'});
	};

	const other = setup.other();
	await other.client('me');
	await other.cache.close();
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	const refused = page.locator('.card', {hasText: 'URLs not stored'});
	assert.match(await refused.innerText(), /\/me private/v);
	await refused.getByRole('link').click();
	await page.getByText('not stored 1 time in the last hour').waitFor();
	assert.match(await page.locator('.decision').innerText(), /the cache is shared[\s\S]*Say whose it is with the option user|Say whose it is with the option `user`/v);
});

test('10,000 entries are turned page by page, forth and back, and one of them is found', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/0']);
	const [model] = await Array.fromAsync(setup.cache.export());
	const others = Array.from({length: 9999}, (_, index): ExportedResponse => ({...model!, key: `{${String(index).padStart(22, 'A')}}`, url: `${setup.origin.url}/items/${index + 1}`}));
	const {imported} = await setup.cache.import(others);
	assert.equal(imported, 9999);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await page.getByRole('link', {name: 'Entries'}).click();
	await rows(page).nth(99).waitFor();
	assert.equal(await rows(page).count(), 100);
	const first = await urlsIn(page);
	const [previous, next] = [page.getByRole('button', {name: 'Previous'}), page.getByRole('button', {name: 'Next'})];
	assert.ok(await previous.isDisabled());
	await next.click();
	await page.getByText('101–200,').waitFor();
	const second = await urlsIn(page);
	assert.equal(new Set([...first, ...second]).size, 200);
	await next.click();
	await page.getByText('201–300,').waitFor();
	await previous.click();
	await page.getByText('101–200,').waitFor();
	assert.deepEqual(await urlsIn(page), second);
	await previous.click();
	await page.getByText('1–100,').waitFor();
	assert.deepEqual(await urlsIn(page), first);

	await page.getByLabel('Search').fill('/items/7777');
	await page.keyboard.press('Enter');
	const found = rows(page).filter({hasText: '/items/7777'});
	const searchOn = page.getByRole('button', {name: 'Search on'});
	// A page is shown after some seconds, also if a slow machine has not looked at everything by then.
	await found.or(searchOn).waitFor();
	while (await found.count() === 0) {
		await searchOn.click();
		await page.locator('.list:not([aria-busy])').waitFor();
	}

	await hasCount(rows(page), 1);
	assert.deepEqual(await urlsIn(page), ['/items/7777']);
});

test('a stored response shows its life, header fields, tags, variants, the decision and its body', async () => {
	await using setup = await setUpInspector();
	const {client} = setup;
	await store(setup, ['vary/1']);
	await client('vary/1', {headers: {'accept-language': 'de'}});
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('entries');
	await rows(page).filter({hasText: 'accept-language: de'}).locator('.url').click();
	await page.locator('pre.body .key').first().waitFor();

	assert.match(await page.locator('h1').innerText(), /^GET .*\/vary\/1$/v);
	assert.deepEqual(await page.locator('.lifeline .bar b').allTextContents(), ['fresh', 'stale, usable', 'to be validated']);
	assert.deepEqual(await page.locator('.lifeline li > span').allTextContents(), ['stored', 'fresh until', 'stale usable until', 'gone']);
	assert.match(await page.locator('.headers').innerText(), /cache-control\s+max-age=600, stale-while-revalidate=60/v);
	assert.match(await page.locator('.facts').first().innerText(), /accept-language: de/v);
	assert.match(await page.locator('.decision').innerText(), /A stored response answers[\s\S]*The stored response is fresh/v);
	await page.getByText('All of the explanation').click();
	assert.match(await page.locator('.decision pre').innerText(), /vary\/1/v);

	// As it was sent, but for line breaks: no digit of the number is lost.
	assert.equal(await page.locator('pre.body').last().innerText(), '{\n  "path": "/vary/1",\n  "id": 12345678901234567890,\n  "list": [\n    1,\n    {}\n  ],\n  "language": "de"\n}');
	await page.getByRole('button', {name: 'As it is'}).click();
	assert.equal(await page.locator('pre.body').last().innerText(), '{"path":"/vary/1","id":12345678901234567890,"list":[1,{}],"language":"de"}');
	await page.getByRole('button', {name: 'As it is'}).click();
	assert.equal(await page.locator('pre.body .key').count(), 4);

	await page.getByRole('link', {name: 'without selecting fields'}).or(page.locator('table a', {hasText: 'accept-language'})).first().click();
	await page.locator('.facts', {hasText: 'Key'}).filter({hasNotText: 'accept-language: de'}).waitFor();
});

test('a body is saved as it is, under the name of its path', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/report.json']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('entries');
	await rows(page).locator('.url').click();
	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Download'}).click()]);

	assert.equal(download.suggestedFilename(), 'report.json');
	assert.equal(await readFile(await download.path(), 'utf8'), '{"path":"/items/report.json","id":12345678901234567890,"list":[1,{}],"language":""}');
});

test('a long body is shown in part, and as a whole by a click', async () => {
	await using setup = await setUpInspector();
	setup.origin.queue({headers: {'cache-control': 'max-age=60', 'content-type': 'text/plain; charset=utf-8'}, body: 'ä'.repeat(200_000)});
	await setup.client('long');
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('entries');
	await rows(page).locator('.url').click();
	await page.getByText('The first 256 KiB of 390.6 KiB').waitFor();
	assert.equal((await page.locator('pre.body').last().textContent())?.length, 131_072);
	await page.getByRole('button', {name: 'Show all 390.6 KiB'}).click();
	await page.getByText('Text, 390.6 KiB').waitFor();
	assert.equal((await page.locator('pre.body').last().textContent())?.length, 200_000);
});

test('a picture is shown by its first bytes, whatever its type says', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['picture/1']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('entries');
	await rows(page).locator('.url').click();
	await page.getByText('image/png, ').waitFor();
	assert.deepEqual(await page.locator('.picture img').boundingBox().then(box => [box?.width, box?.height]), [40, 20]);
	assert.match(await page.locator('.picture img').getAttribute('src') ?? '', /^blob:/v);
});

test('bytes that are no text are shown in hexadecimal', async () => {
	await using setup = await setUpInspector();
	setup.origin.queue({headers: {'cache-control': 'max-age=60'}, body: Uint8Array.from([0, 1, 2, 255, 65, 66])});
	await setup.client('bytes');
	await using opened = await openPage(browser, setup.inspector);
	await opened.go('entries');
	await rows(opened.page).locator('.url').click();
	await opened.page.getByText('6 B that are no text').waitFor();
	assert.match(await opened.page.locator('pre.body').last().innerText(), /^000000 {2}00 01 02 ff 41 42 +\.{4}AB$/v);
});

test('a purge of an entry asks, does nothing when it is refused, and removes all variants when it is confirmed', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['vary/1', 'items/1']);
	await setup.client('vary/1', {headers: {'accept-language': 'de'}});
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('entries');
	await rows(page).filter({hasText: '/vary/1'}).first().locator('.url').click();
	const purge = page.getByRole('button', {name: 'Purge', exact: true});
	await purge.click();
	assert.match(await page.getByRole('dialog').innerText(), /\/vary\/1 is removed with all its variants/v);
	await opened.answer('Cancel');
	await purge.click();
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({state: 'hidden'});
	assert.ok(await isStored(setup, 'vary/1'));

	await page.getByRole('button', {name: 'Soft purge'}).click();
	await opened.answer('Soft purge');
	await page.getByText('Softly purged. The store confirmed it').waitFor();
	await page.locator('.heading .badge.stale').waitFor();
	assert.ok(await isStored(setup, 'vary/1'));

	await page.getByRole('button', {name: 'Purge', exact: true}).click();
	await opened.answer('Purge');
	await page.getByText('Purged. The store confirmed it, for every process.', {exact: true}).waitFor();
	await page.locator('.view.entries').waitFor();
	await rows(page).first().waitFor();
	assert.deepEqual(await urlsIn(page), ['/items/1']);
	assert.ok(!await isStored(setup, 'vary/1'));
});

test('an entry that is gone says so', async () => {
	await using setup = await setUpInspector();
	await using opened = await openPage(browser, setup.inspector);
	await opened.go(`entry?key=${encodeURIComponent('http_cache:{AAAAAAAAAAAAAAAAAAAAAA}')}`);
	await opened.page.getByText('Nothing readable is stored under this key any more').waitFor();
	// The browser itself tells of the 404.
	assert.match(opened.problems.splice(0).join('\n'), /^Failed to load resource: .*404/v);
});

test('each kind of purge is made from its form, after a question', async () => {
	await using setup = await setUpInspector();
	const {origin} = setup;
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	const form = page.locator('form').filter({hasText: 'Soft: keep'});
	const purge = async (kind: string, value: string | undefined, isSoft: boolean) => {
		await opened.go('health');
		await store(setup, ['items/1', 'stale/1']);
		await opened.go('purge');
		await form.getByLabel('What').selectOption(kind);
		if (value !== undefined) {
			await form.locator('input[name=value]').fill(value);
		}

		await form.getByLabel('Soft').setChecked(isSoft);
		await form.getByRole('button', {name: 'Purge'}).click();
		await opened.answer('Cancel');
		assert.ok(await isStored(setup, 'items/1'));
		await form.getByRole('button', {name: 'Purge'}).click();
		await opened.answer(isSoft ? 'Soft purge' : 'Purge');
		await page.getByText(`${isSoft ? 'Softly purged' : 'Purged'}. The store confirmed it`).last().waitFor();
		await page.locator('.notice .close').last().click();
	};

	for (const [kind, value] of [['tag', 'items'], ['url', `${origin.url}/items/1`], ['prefix', `${origin.url}/items/`], ['pattern', '/items/*'], ['origin', origin.url]] as const) {
		await purge(kind, value, true);
		assert.ok(await isStored(setup, 'items/1'), kind);
		assert.ok(!await setup.cache.has(`${origin.url}/items/1`), kind);
		await purge(kind, value, false);
		assert.ok(!await isStored(setup, 'items/1'), kind);
	}

	await purge('stale', undefined, false);
	assert.ok(await isStored(setup, 'items/1'));
	assert.ok(!await isStored(setup, 'stale/1'));
	await opened.go('purge');
	await form.getByLabel('What').selectOption('all');
	assert.ok(await form.getByLabel('Soft').isHidden());
	await form.getByRole('button', {name: 'Purge'}).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByText(`${setup.redis.url} · namespace http_cache`).waitFor();
	assert.match(await dialog.innerText(), /1 response now/v);
	assert.ok(await dialog.getByRole('button', {name: 'Purge'}).isDisabled());
	await dialog.getByLabel('Type “everything”').fill('everything');
	await opened.answer('Purge');
	await page.getByText('Purged. The store confirmed it').waitFor();
	assert.ok(!await isStored(setup, 'items/1'));
	await form.getByLabel('What').selectOption('tag');
	await form.locator('input[name=value]').fill('nobody');
	await form.getByRole('button', {name: 'Purge'}).click();
	await dialog.getByText('Nothing that is stored now matches.').waitFor();
	await opened.answer('Purge');
	await page.getByText('Purged, though nothing was stored that matched.').waitFor();
});

test('a purge of a cache group wants its origin, and what is typed wrong is refused before a question', async () => {
	await using setup = await setUpInspector();
	const {origin, client} = setup;
	origin.queue({headers: {'cache-control': 'max-age=60', 'cache-groups': '"g"'}, body: 'a'});
	await client('grouped');
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('purge');
	const form = page.locator('form').filter({hasText: 'Soft: keep'});
	await form.getByLabel('What').selectOption('group');
	await form.locator('input[name=value]').fill('g');
	await form.getByRole('button', {name: 'Purge'}).click();
	assert.ok(await page.getByRole('dialog').isHidden());
	await form.getByLabel('Origin of the group').fill(origin.url);
	await form.getByRole('button', {name: 'Purge'}).click();
	await opened.answer('Purge');
	await page.getByText('Purged. The store confirmed it').waitFor();
	assert.ok(!await isStored(setup, 'grouped'));

	await form.getByLabel('What').selectOption('prefix');
	const value = form.locator('input[name=value]');
	for (const [kind, typed] of [['prefix', '/products'], ['url', '127.0.0.1:7192'], ['origin', `${origin.url}/path`], ['tag', '  ']] as const) {
		await form.getByLabel('What').selectOption(kind);
		await value.fill(typed);
		await form.getByRole('button', {name: 'Purge'}).click();
		assert.match(await value.evaluate(element => (element as unknown as {validationMessage: string}).validationMessage), /^Type /v, kind);
		assert.ok(await page.getByRole('dialog').isHidden(), kind);
	}

	await form.getByLabel('What').selectOption('pattern');
	await value.fill('nonsense');
	await form.getByRole('button', {name: 'Purge'}).click();
	await page.locator('.notice.error', {hasText: 'Expected'}).waitFor();
	assert.doesNotMatch(await page.locator('.notice.error').innerText(), /`|\(\)/v);
	assert.ok(await page.getByRole('dialog').isHidden());
	await page.locator('.notice.error .close').click();
	assert.match(opened.problems.splice(0).join('\n'), /^Failed to load resource: .*400/v);
});

test('an origin is frozen, bypassed and thawed, each after a question', async () => {
	await using setup = await setUpInspector();
	const {origin, cache, client} = setup;
	await store(setup, ['items/1']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await opened.go('purge');
	const form = page.locator('form').filter({hasText: 'Freeze'});
	const kinds = () => cache.health().switches.map(({kind}) => kind);
	const set = async (name: string) => {
		await form.getByRole('button', {name: `${name}…`, exact: true}).click();
		await opened.answer(name);
		await page.getByText(`${name}: the store confirmed it`).waitFor();
		await page.locator('.notice .close').last().click();
	};

	await form.getByRole('button', {name: 'Freeze'}).click();
	assert.ok(await page.getByRole('dialog').isHidden());
	await form.getByLabel('Origin').fill(origin.url);
	await form.getByLabel('For').selectOption('1 hour');
	await form.getByRole('button', {name: 'Freeze'}).click();
	assert.match(await page.getByRole('dialog').innerText(), /Freeze this origin for 1 hour\?/v);
	await opened.answer('Cancel');
	assert.deepEqual(kinds(), []);
	await set('Freeze');
	assert.deepEqual(kinds(), ['freeze']);
	await page.locator('.badge.freeze').waitFor();
	assert.equal((await client('never', {throwHttpErrors: false})).statusCode, 504);
	await set('Bypass');
	assert.deepEqual(kinds(), ['bypass']);
	await page.locator('.badge.bypass').waitFor();
	await page.getByRole('button', {name: `Thaw ${origin.url}…`}).click();
	await opened.answer('Thaw');
	await page.getByText('Thaw: the store confirmed it').waitFor();
	assert.deepEqual(kinds(), []);
	await page.getByText('No origin is frozen or bypassed').waitFor();
	await page.locator('.notice .close').last().click();
	await form.getByRole('button', {name: 'Thaw…', exact: true}).click();
	await page.getByText(`${origin.url} is neither frozen nor bypassed.`).waitFor();
	await set('Freeze');
	await set('Thaw');
	assert.deepEqual(kinds(), []);
});

test('the switches of other processes are shown, in the overview and under health', async () => {
	await using setup = await setUpInspector();
	const other = setup.other();
	await other.cache.freeze({origin: 'https://api.example.com'}, '1h');
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	const card = page.locator('.card', {hasText: 'Switches'});
	await card.filter({hasText: 'in force'}).waitFor();
	assert.match(await card.innerText(), /freeze\s+https:\/\/api\.example\.com\s+ends in/v);
	await opened.go('health');
	await card.locator('.badge.freeze').waitFor();
	await opened.go('purge');
	await page.locator('#origins option[value="https://api.example.com"]').waitFor({state: 'attached'});
	await other.cache.thaw({origin: 'https://api.example.com'});
	await opened.go('overview');
	await opened.go('health');
	await page.getByText('No origin is frozen or bypassed').waitFor();
});

test('a request is explained, with its header fields, whether it is stored or not', async () => {
	await using setup = await setUpInspector();
	const {origin, client} = setup;
	await store(setup, []);
	await client('vary/1', {headers: {'accept-language': 'de'}});
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	const asked: Array<{readonly url: string; readonly method: string}> = [];
	page.on('request', request => {
		if (request.url().includes('/api/explain')) {
			asked.push({url: request.url(), method: request.method()});
		}
	});
	await page.getByRole('link', {name: 'Explain'}).click();
	await page.getByRole('textbox', {name: 'URL'}).fill(`${origin.url}/vary/1`);
	await page.getByLabel('Header fields').fill('accept-language: de');
	await page.getByRole('button', {name: 'Explain'}).click();
	await page.getByText('A stored response answers').waitFor();
	await page.locator('.entries tr', {hasText: 'selected'}).waitFor();
	await page.getByRole('textbox', {name: 'URL'}).fill(`${origin.url}/never`);
	await page.getByLabel('Method').selectOption('POST');
	await page.getByRole('button', {name: 'Explain'}).click();
	await page.getByText('Nothing is stored for this request.').waitFor();
	assert.equal(await page.getByLabel('Method').inputValue(), 'POST');
	assert.equal(new URL(page.url()).hash.includes('headers'), false);
	await page.getByLabel('Method').selectOption('GET');
	await page.getByRole('textbox', {name: 'URL'}).fill(`${origin.url}/vary/1`);
	await page.getByLabel('Header fields').fill('authorization: Bearer abc');
	await page.getByRole('button', {name: 'Explain'}).click();
	await page.getByText('accept-language: (not in this request)').waitFor();
	assert.match(await page.locator('.decision').innerText(), /What to do/v);
	await page.getByRole('textbox', {name: 'URL'}).fill(`${origin.url.replace('//', '//user:pw@')}/vary/1?api_key=abc`);
	await page.getByRole('button', {name: 'Explain'}).click();
	await page.getByText('Nothing is stored for this request.').waitFor();
	assert.equal(new URL(page.url()).hash, '#/explain');
	assert.deepEqual([...new Set(asked.map(({url, method}) => `${method} ${new URL(url).pathname}${new URL(url).search}`))], ['POST /api/explain']);
});

test('while the store does not answer, no view claims to know what is stored, and a failure stays on the page', async () => {
	await using setup = await setUpInspector({timeout: '500ms'});
	await store(setup, ['items/1']);
	await using opened = await openPage(browser, setup.inspector, {viewport: {width: 375, height: 700}});
	const {page} = opened;
	await page.locator('#store', {hasText: 'store: ok'}).waitFor();
	await setup.redis.kill();
	await opened.go('health');
	await page.locator('.card', {hasText: 'Namespace'}).getByText('The store does not answer.').waitFor();
	await page.locator('.card', {hasText: 'Switches'}).getByText('The switches of other processes are not known.').waitFor();
	await page.locator('#store', {hasText: /no answer|unavailable/v}).waitFor();
	await opened.go(`explain?url=${encodeURIComponent(`${setup.origin.url}/never`)}`);
	await page.getByText('Not known: the store does not answer').waitFor();
	await page.getByText('Not known, because the store does not answer.').waitFor();
	await opened.go('overview');
	await page.getByText('Not known: the counts of all processes cannot be read.').waitFor();
	await opened.go('purge');
	await page.locator('input[name=value]').fill('items');
	await page.getByRole('button', {name: 'Purge…'}).click();
	await page.getByText('How many responses it is about is not known').waitFor();
	await opened.answer('Purge');
	await page.locator('.notice.error', {hasText: 'The store has not confirmed the purge'}).waitFor();
	await opened.go('entries');
	await page.locator('.list .failure').waitFor();
	const [notice, failed] = [await page.locator('.notice').boundingBox(), await page.locator('.list .failure').boundingBox()];
	assert.ok(Number(notice?.y) + Number(notice?.height) <= Number(failed?.y));
	await page.locator('.notice .close').click();
	// The browser itself tells of failures.
	assert.ok(opened.problems.splice(0).every(problem => problem.startsWith('Failed to load resource')));
});

test('live requests come by themselves, the latest first, can be held and cleared', async () => {
	await using setup = await setUpInspector();
	await store(setup, []);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await page.getByRole('link', {name: 'Live'}).click();
	await page.getByText('No requests yet.').waitFor();
	await store(setup, ['items/1', 'items/1']);
	await rows(page).nth(1).waitFor();
	assert.deepEqual(await rows(page).locator('.badge').allTextContents(), ['hit', 'miss']);

	await page.getByRole('button', {name: 'Pause'}).click();
	await store(setup, ['items/2']);
	await page.getByRole('button', {name: 'Go on', pressed: true}).waitFor();
	assert.equal(await rows(page).count(), 2);
	await page.getByRole('button', {name: 'Clear'}).click();
	assert.equal(await rows(page).count(), 0);
	await page.getByRole('button', {name: 'Go on'}).click();
	await rows(page).first().waitFor();
	assert.deepEqual(await urlsIn(page), ['/items/2']);
	await rows(page).locator('.url').click();
	await page.getByText('A stored response answers').waitFor();
});

test('health tells the state of the store, and a check tries it', async () => {
	await using setup = await setUpInspector();
	await store(setup, ['items/1']);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await page.getByRole('link', {name: 'Health'}).click();
	await page.getByText('The store is read and written.').waitFor();
	await page.getByRole('button', {name: 'Check the store'}).click();
	await page.locator('[aria-live] .verdict code', {hasText: setup.redis.url}).waitFor();
	assert.equal(await page.locator('#store .badge').innerText(), 'store: ok');
});

test('the token leaves the address, is kept for the tab, and another tab has none', async () => {
	await using setup = await setUpInspector();
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	assert.equal(new URL(page.url()).hash, '#/overview');
	await page.reload();
	await page.locator('.tiles').waitFor();
	const other = await page.context().newPage();
	await other.goto(new URL('/', setup.inspector.url).href);
	await other.locator('#store', {hasText: 'no token'}).waitFor();
	await other.getByText('A link that is opened in a new tab does not take the token along').waitFor();
	assert.equal(await other.getByText('The token is missing or wrong: open the address that was printed').count(), 1);
	await other.goto(setup.inspector.url);
	await other.locator('.tiles').waitFor();
});

test('an inspector that has ended is told', async () => {
	await using setup = await setUpInspector();
	const inspector = await startInspector({cache: setup.cache});
	await using opened = await openPage(browser, inspector);
	await inspector.close();
	await opened.page.getByRole('link', {name: 'Entries'}).click();
	await opened.page.getByText('The inspector does not answer. Does its process still run?').waitFor();
	assert.match(opened.problems.splice(0).join('\n'), /ERR_CONNECTION_REFUSED/v);
});
