import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, globSync, statSync} from 'node:fs';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {promisify} from 'node:util';
import {startBrowser} from '../inspector/browser.ts';

/*
The site that `npm run docs` builds, read by a browser.
*/

const root = path.resolve(import.meta.dirname, '../..');
const folder = await mkdtemp(path.join(tmpdir(), 'got-redis-cache-site-'));

const mediaTypes: Readonly<Record<string, string>> = {
	'.css': 'text/css',
	'.html': 'text/html',
	'.js': 'text/javascript',
	'.svg': 'image/svg+xml',
};

const server = createServer(async ({url = '/'}, response) => {
	try {
		const file = path.join(folder, new URL(url, 'http://localhost').pathname);
		const content = await readFile(file.endsWith('/') ? `${file}index.html` : file);
		response.setHeader('content-type', mediaTypes[path.extname(file)] ?? 'text/html').end(content);
	} catch {
		response.writeHead(404).end();
	}
});

const typedoc = path.join(root, 'node_modules/typedoc/bin/typedoc');
await promisify(execFile)(process.execPath, [typedoc, '--out', folder], {cwd: root});
await once(server.listen(0, '127.0.0.1'), 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const browser = await startBrowser();

after(async () => {
	await browser.close();
	server.close();
	await rm(folder, {recursive: true, force: true});
});

test('every link of the site leads to a file and an element that are there', async () => {
	const files = globSync('**/*.html', {cwd: folder});
	const texts = new Map(await Promise.all(files.map(async file => [file, await readFile(path.join(folder, file), 'utf8')] as const)));
	const idsOf = (text: string): Set<string | undefined> => new Set(text.matchAll(/\bid="(?<id>[^"]*)"/gv).map(({groups}) => groups?.id));
	const ids = new Map(texts.entries().map(([file, text]) => [file, idsOf(text)]));

	const isThere = (from: string, link: string): boolean => {
		const {pathname, hash} = new URL(link, `http://localhost/${from}`);
		const file = decodeURIComponent(pathname.slice(1)) || 'index.html';
		const id = decodeURIComponent(hash.slice(1));
		return existsSync(path.join(folder, file)) && statSync(path.join(folder, file)).isFile() && (id === '' || (ids.get(file)?.has(id) ?? true));
	};

	const broken = texts.entries().flatMap(([file, text]) =>
		text.matchAll(/\b(?:href|src)="(?!(?:data|https?|mailto):)(?<link>[^"]*)"/gv).map(({groups}) => groups?.link ?? '').filter(link => !isThere(file, link)).map(link => `${file}: ${link}`),
	).toArray();

	assert.deepEqual(broken, []);
	assert.ok(files.length > 100);
});

for (const colorScheme of ['light', 'dark'] as const) {
	test(`a page of the site fits a screen of 375 px, follows the colour scheme ${colorScheme}, and asks no other host`, async () => {
		await using page = await browser.newPage({colorScheme, viewport: {width: 375, height: 800}});
		const others: string[] = [];
		page.on('request', request => {
			if (!request.url().startsWith(origin)) {
				others.push(request.url());
			}
		});

		for (const file of ['', 'documents/Options.html', 'documents/Operations.html', 'documents/Migration.html', 'types/index.RedisCacheOptions.html']) {
			await page.goto(`${origin}/${file}`, {waitUntil: 'load'});
			const [width, red] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, Number(/[0-9]+/.exec(getComputedStyle(document.body).backgroundColor))]');
			assert.equal(width, 375, file);
			assert.equal(red > 127, colorScheme === 'light', file);
		}

		assert.deepEqual(others, []);
	});
}

test('the search of the site finds an option, and pages by their text', async () => {
	await using page = await browser.newPage();
	await page.goto(origin);
	await page.locator('#tsd-search-trigger').click();
	await page.locator('#tsd-search-input').fill('ttlOffset');
	const results = page.locator('#tsd-search-results li');
	await results.filter({hasText: 'RequestCacheOptions.ttlOffset'}).waitFor();
	await results.filter({hasText: 'How long is a response kept?'}).waitFor();
	assert.ok(await results.count() >= 2);
});

test('the sidebar of the site has the pages in the groups of the table of contents, and the site has an icon', async () => {
	await using page = await browser.newPage({viewport: {width: 1280, height: 800}});
	await page.goto(origin);
	const headings = (await readFile(path.join(root, 'docs/readme.md'), 'utf8')).matchAll(/^## (?<heading>.+)$/gmv).map(({groups}) => groups?.heading).filter(heading => heading !== 'Something is wrong now').toArray();
	const groups = page.locator('#tsd-nav-container > li > details > summary');
	await groups.first().waitFor();
	const names = (await groups.allTextContents()).map(name => name.trim());

	assert.deepEqual(names.slice(0, headings.length), headings);
	assert.equal(await page.locator('link[rel="icon"]').getAttribute('href'), 'assets/favicon.svg');
});
