/*
Makes the pictures of docs/inspector.md: `npm run inspector:pictures`.
*/
import {mkdir, stat} from 'node:fs/promises';
import path from 'node:path';
import {startInspector} from '../../source/inspector.ts';
import {startBrowser} from './browser.ts';
import {startShowcase} from './showcase.ts';

const folder = path.resolve(import.meta.dirname, '../../docs/images');

/** The files are part of the package. */
const mostBytes = 150_000;

await using showcase = await startShowcase();
await using inspector = await startInspector({cache: showcase.cache});
const browser = await startBrowser();
await mkdir(folder, {recursive: true});

const pictureOf = async (name: string, colorScheme: 'light' | 'dark', view: string, isReady: string): Promise<void> => {
	const page = await browser.newPage({colorScheme, viewport: {width: 1100, height: 720}});
	await page.goto(inspector.url);
	await page.goto(new URL(`#/${view}`, inspector.url).href);
	await page.waitForSelector(isReady);
	const file = path.join(folder, `${name}.png`);
	await page.screenshot({path: file, animations: 'disabled'});
	await page.close();
	const {size} = await stat(file);
	if (size > mostBytes) {
		throw new Error(`${file} has ${size} bytes, more than ${mostBytes}`);
	}
};

await pictureOf('inspector-overview', 'light', 'overview', '.chart');
const stored = await showcase.cache.get({url: 'https://api.example.com/items/1', headers: {'accept-language': 'en'}});
await pictureOf('inspector-entry', 'dark', `entry?key=${encodeURIComponent(stored?.storeKey ?? '')}`, 'pre.body .key');
await browser.close();
