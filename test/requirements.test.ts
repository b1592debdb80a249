import assert from 'node:assert/strict';
import test, {suite} from 'node:test';
import {runScript} from './helpers/script.ts';

const entries = ['index', 'embedded', 'acceptance', 'audit', 'opentelemetry', 'prometheus', 'webhook'];

/** What a module prints: the message of what it throws. */
const toldBy = async (source: string): Promise<string> => {
	const {stdout, stderr} = await runScript(`try {${source}} catch (error) {console.log(error.message);}`);
	assert.equal(stderr, '');
	return stdout.trim();
};

await suite('an older Node.js is told what is needed, at import', () => {
	for (const entry of entries) {
		test(`by ${entry}.ts`, async () => {
			// What it lacks is gone: the first thing to fail is to be the version.
			const old = `
				Object.defineProperty(process, 'versions', {value: {...process.versions, node: '20.19.5'}});
				delete Iterator.prototype.drop;
				delete Promise.withResolvers;
				await import('./source/${entry}.ts');
			`;
			assert.equal(await toldBy(old), 'got-redis-cache needs Node.js 22 or later, and this is Node.js 20.19.5');
		});
	}

	test('Node.js 22 is not', async () => {
		const current = `
			Object.defineProperty(process, 'versions', {value: {...process.versions, node: '22.0.0'}});
			await import('./source/index.ts');
		`;
		assert.equal(await toldBy(current), '');
	});
});

await suite('an older got is told what is needed', () => {
	const message = 'got-redis-cache needs got 14.6 or later, and this is an older one: npm install got@latest';
	const gots: Readonly<Record<string, string>> = {
		'got 14.5': 'export class Options {} export const isResponseOk = () => true, parseBody = () => ""; export default () => {};',
		'got 11': 'export default () => {};',
	};

	for (const [name, source] of Object.entries(gots)) {
		test(`${name}, when a cache is made`, async () => {
			const old = `
				const {registerHooks} = await import('node:module');
				registerHooks({resolve: (specifier, context, next) => specifier === 'got' ? {url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(source)}`)}, shortCircuit: true} : next(specifier, context)});
				const {redisCache} = await import('./source/index.ts');
				redisCache('memory');
			`;
			assert.equal(await toldBy(old), message);
		});
	}

	test('one that the package itself does not find, when it is extended', async () => {
		const another = `
			const {redisCache} = await import('./source/index.ts');
			const {hooks: {init}} = redisCache('memory');
			for (const self of [{hooks: {init: []}}, undefined]) {
				try {
					init[0]({}, self);
				} catch (error) {
					console.log(error.message);
				}
			}
		`;
		assert.equal(await toldBy(another), `${message}\n${message}`);
	});
});
