import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import process from 'node:process';
import {chromium, type Browser, type BrowserContextOptions, type Locator, type Page} from 'playwright-core';
import type {Inspector} from '../../source/inspector.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** Starts the Chromium of this machine. */
export const startBrowser = async (): Promise<Browser> => {
	const executablePath = places.find(place => existsSync(place));
	if (executablePath === undefined) {
		throw new Error('The tests of the inspector need a Chromium: `npm run test:setup`, `apt-get install chromium` or `brew install --cask google-chrome`');
	}

	return chromium.launch({
		executablePath,
		// The sandbox wants a user that is not root, and a container has little shared memory.
		args: ['--disable-dev-shm-usage', '--disable-gpu', ...process.getuid?.() === 0 ? ['--no-sandbox'] : []],
	});
};

export type OpenPage = AsyncDisposable & {
	readonly page: Page;
	/** Shows a view by its address within the page. */
	go(view: string): Promise<void>;
	/** Answers the dialog with the button of this name. */
	answer(name: string): Promise<void>;
	/** What went wrong so far: errors, refusals by the policy, requests to other places. It has to be empty in the end. */
	readonly problems: string[];
};

/** Waits until so many elements are there. */
export const hasCount = async (locator: Locator, count: number): Promise<void> => {
	if (count > 0) {
		await locator.nth(count - 1).waitFor({state: 'attached'});
	}

	await locator.nth(count).waitFor({state: 'detached'});
};

/** A machine that is busy with other tests is slow. */
const patienceMs = 30_000;

/** Opens the inspector's page in a profile of its own. In the end, nothing may have gone wrong in it. */
export const openPage = async (browser: Browser, {url}: Pick<Inspector, 'url'>, options: BrowserContextOptions = {}): Promise<OpenPage> => {
	const context = await browser.newContext(options);
	context.setDefaultTimeout(patienceMs);
	const page = await context.newPage();
	const problems: string[] = [];
	const {origin} = new URL(url);
	page.on('console', message => {
		if (message.type() === 'error' || message.type() === 'warning') {
			problems.push(message.text());
		}
	});
	page.on('pageerror', error => {
		problems.push(error.message);
	});
	page.on('dialog', async dialog => {
		problems.push(`dialog: ${dialog.message()}`);
		await dialog.dismiss();
	});
	page.on('request', request => {
		if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith(`blob:${origin}/`)) {
			problems.push(`request: ${request.url()}`);
		}
	});
	await page.goto(url);
	await page.locator('.view').waitFor();

	return {
		page,
		problems,
		async go(view) {
			await page.evaluate(`location.hash = ${JSON.stringify(`#/${view}`)}`);
			await page.locator(`.view.${view.split('?', 1)[0] ?? ''}`).waitFor();
		},
		async answer(name) {
			await page.getByRole('dialog').getByRole('button', {name, exact: true}).click();
		},
		async [Symbol.asyncDispose]() {
			await context.close();
			assert.deepEqual(problems, []);
		},
	};
};
