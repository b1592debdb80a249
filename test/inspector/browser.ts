import process from 'node:process';
import {existsSync} from 'node:fs';
import {chromium, type Browser} from 'playwright-core';

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
