import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Page} from 'playwright-core';
import {hasCount, openPage, startBrowser, type OpenPage} from './browser.ts';
import {setUpInspector, type InspectorSetup} from './helpers.ts';

/*
The page for everybody: with the keyboard alone, on a small screen, in dark and in light.
*/

const browser = await startBrowser();

after(async () => {
	await browser.close();
});

const longPath = `items/${'a-long-name-without-a-space/'.repeat(12)}?${'parameter=value&'.repeat(12)}`;

const fill = async ({origin, client}: InspectorSetup): Promise<void> => {
	origin.handler = ({url}, response) => {
		response.writeHead(200, {
			'cache-control': 'max-age=600, stale-if-error=60',
			'content-type': 'application/json',
			'x-long': 'x'.repeat(300),
			...url.startsWith('/vary') && {vary: 'accept-language'},
		});
		response.end(JSON.stringify({a: 'b'.repeat(2000), list: [1, 2, 3]}));
	};

	await client(longPath, {context: {cache: {tags: ['a-tag', 'another-tag-that-is-long'.repeat(6)]}}});
	await client('vary', {headers: {'accept-language': 'en'}});
	await client('vary', {headers: {'accept-language': 'de'}});
};

/** Shows each view, one after the other, with what is in it. */
const eachView = async ({page, go}: OpenPage, {client, cache, origin}: InspectorSetup, look: (name: string) => Promise<void>): Promise<void> => {
	const {storeKey = ''} = await cache.get(`${origin.url}/${longPath}`) ?? {};
	const {storeKey: varying = ''} = await cache.get(`${origin.url}/vary`) ?? {};
	const views: ReadonlyArray<readonly [view: string, isReady: string]> = [
		['overview', 'svg.chart'],
		['entries', '.entries tbody tr'],
		[`entry?key=${encodeURIComponent(storeKey)}`, 'pre.body .key'],
		[`entry?key=${encodeURIComponent(varying)}`, 'pre.body .key'],
		['live', '.empty'],
		[`explain?url=${encodeURIComponent(`${origin.url}/${longPath}`)}`, '.verdict'],
		['purge', 'form'],
		['health', '.verdict'],
	];
	for (const [view, isReady] of views) {
		await go(view);
		await page.locator(isReady).first().waitFor();
		if (view === 'live') {
			await client(longPath);
			await page.locator('.entries tbody tr').first().waitFor();
		}

		for (const details of await page.locator('details').all()) {
			await details.locator('summary').click();
		}

		await look(view.split('?', 1)[0] ?? '');
	}
};

for (const colorScheme of ['light', 'dark'] as const) {
	test(`at a width of 375 pixels, no view scrolls sideways or is cut off, ${colorScheme}`, async () => {
		await using setup = await setUpInspector();
		await fill(setup);
		await using opened = await openPage(browser, setup.inspector, {colorScheme, viewport: {width: 375, height: 700}});
		const {page} = opened;
		await eachView(opened, setup, async name => {
			assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 375, name);
			// What scrolls in its own box, or ends with an ellipsis, may be wider.
			assert.deepEqual(
				await page.evaluate(
					'[...document.querySelectorAll(\'body *\')].filter(element => !element.closest(\'.scroll, .bars .label, svg, .skip, .entries thead\') && element.getBoundingClientRect().right > 375.5).map(element => element.outerHTML.slice(0, 80))',
				),
				[],
				name,
			);
		});
	});
}

/** The contrast of all texts that are shown with what lies behind them, as far as that is a plain colour: those below 4.5 (WCAG 2.2, AA). */
const lowContrast = `(() => {
	const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
	const rgba = color => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = color;
		canvas.fillRect(0, 0, 1, 1);
		const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
		return [red, green, blue, alpha / 255];
	};
	const over = ([r, g, b, a], [r2, g2, b2]) => [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
	const behind = element => {
		const layers = [];
		for (let each = element; each; each = each.parentElement) {
			layers.push(rgba(getComputedStyle(each).backgroundColor));
		}
		return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
	};
	const luminance = color => {
		const [r, g, b] = color.map(part => part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const texts = [...document.querySelectorAll('body *')].filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== '') && element.checkVisibility() && !element.closest('svg, .now, :disabled, option'));
	return texts.flatMap(element => {
		const back = behind(element);
		const [one, other] = [luminance(over(rgba(getComputedStyle(element).color), back)), luminance(back)];
		const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
		return contrast < 4.5 ? [element.className + ' ' + element.textContent.slice(0, 30) + ': ' + contrast.toFixed(2)] : [];
	});
})()`;

for (const colorScheme of ['light', 'dark'] as const) {
	test(`text can be read, ${colorScheme}`, async () => {
		await using setup = await setUpInspector();
		await fill(setup);
		await using opened = await openPage(browser, setup.inspector, {colorScheme});
		const {page} = opened;
		await eachView(opened, setup, async name => {
			assert.deepEqual(await page.evaluate(lowContrast), [], name);
		});
		const background = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
		assert.equal(background, colorScheme === 'dark' ? 'rgb(14, 17, 22)' : 'rgb(245, 246, 248)');
	});
}

test('everything that can be used has a name, and each view one heading', async () => {
	await using setup = await setUpInspector();
	await fill(setup);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await eachView(opened, setup, async name => {
		const tree = await page.locator('body').ariaSnapshot();
		assert.doesNotMatch(tree, /- (?:button|link|textbox|combobox|checkbox|img)(?: \[\w+\])?:?$/mv, name);
		assert.equal(await page.locator('h1').count(), 1, name);
	});
});

/** Presses Tab until an element has the focus. */
const tabTo = async (page: Page, isThere: string): Promise<void> => {
	for (let presses = 0; presses < 60; presses++) {
		await page.keyboard.press('Tab');
		if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(isThere)})`) === true) {
			return;
		}
	}

	assert.fail(`No press of Tab leads to ${isThere}`);
};

test('an entry is found, looked at and purged with the keyboard alone', async () => {
	await using setup = await setUpInspector();
	const {cache, origin} = setup;
	await fill(setup);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await page.locator('.tiles').waitFor();
	await tabTo(page, '.skip');
	await tabTo(page, 'nav a[href="#/entries"]');
	assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none');
	await page.keyboard.press('Enter');
	await hasCount(page.locator('.entries tbody tr'), 3);
	await tabTo(page, 'input[name=search]');
	await page.keyboard.type('items/');
	await page.keyboard.press('Enter');
	await hasCount(page.locator('.entries tbody tr'), 1);
	await tabTo(page, '.entries .url');
	await page.keyboard.press('Enter');
	await page.locator('pre.body .key').first().waitFor();

	await tabTo(page, '.heading .danger');
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').waitFor();
	assert.equal(await page.evaluate('document.activeElement.textContent'), 'Cancel');
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({state: 'hidden'});
	assert.equal(await page.evaluate('document.activeElement.matches(\'.heading .danger\')'), true);
	assert.ok(await cache.has(`${origin.url}/${longPath}`));
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').waitFor();
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.getByText('Purged. The store confirmed it').waitFor();
	assert.ok(!await cache.has(`${origin.url}/${longPath}`));
});

test('every control of every view can be reached with Tab', async () => {
	await using setup = await setUpInspector();
	await fill(setup);
	await using opened = await openPage(browser, setup.inspector);
	const {page} = opened;
	await eachView(opened, setup, async name => {
		await page.evaluate('document.activeElement.blur(), document.querySelectorAll(\'[data-reached]\').forEach(each => each.removeAttribute(\'data-reached\'))');
		await page.locator('.skip').focus();
		for (let presses = 0; presses < 80; presses++) {
			await page.evaluate('document.activeElement.setAttribute(\'data-reached\', \'\')');
			await page.keyboard.press('Tab');
			if (await page.evaluate('document.activeElement === document.body || document.activeElement.matches(\'.skip\')') === true) {
				break;
			}
		}

		assert.deepEqual(
			await page.evaluate(
				'[...document.querySelectorAll(\'a, button, input, select, textarea, summary\')].filter(each => each.checkVisibility() && !each.disabled && !each.hasAttribute(\'data-reached\')).map(each => each.outerHTML.slice(0, 80))',
			),
			[],
			name,
		);
	});
});
