import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {createPace, retryAfterMs} from '../../source/cli/warm/pace.ts';
import {createProgress} from '../../source/cli/warm/progress.ts';
import {unlessFast} from '../helpers/runs.ts';
import {environment, main, runCli, setUpCli, type CliSetup} from './helpers.ts';

const pathsAsked = ({origin}: CliSetup): string[] => origin.requests.map(({url}) => url).toSorted();

const warm = async ({redis}: CliSetup, stdin: string, ...arguments_: readonly string[]) => runCli(['warm', '-', ...arguments_], {env: {REDIS_URL: redis.url}, stdin});

test('warm requests the URLs of a list, and not those that are fresh', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const {url} = setup.origin;

	const {code, stdout, stderr} = await warm(setup, `# a comment\n${url}/a\r\n\n  ${url}/b  \n${url}/c`, '--tag', 'warmed');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^Warmed 3 URLs: 2 stored, 1 were fresh; in \d+s, with the default options of redisCache\(\)\.\n$/v);
	assert.deepEqual(pathsAsked(setup), ['/a', '/b', '/c']);
	assert.equal((await setup.json('ls', '--tag', 'warmed')).length, 2);
	assert.equal((await setup.client('b')).isFromCache, true);
});

test('warm --refresh asks about fresh responses too, and --expire-after says how long they are fresh', async () => {
	await using setup = await setUpCli();
	await setup.store(['a']);
	const {stdout} = await warm(setup, `${setup.origin.url}/a`, '--refresh', '--json', '--expire-after', '2d');
	const counts = JSON.parse(stdout) as Record<string, unknown>;
	assert.deepEqual([counts.urls, counts.stored, counts.fresh, counts.failed, counts.isInterrupted], [1, 1, 0, 0, false]);
	assert.deepEqual(pathsAsked(setup), ['/a', '/a']);
	const [entry] = await setup.json('ls');
	assert.ok(Date.parse(String(entry?.expiresAt)) > Date.now() + 86_400_000);
});

test('with --config, warm stores and explain looks up as a program with these options does', async () => {
	await using setup = await setUpCli({ignoredParameters: ['session'], expireAfter: '1d'});
	const directory = await mkdtemp(path.join(tmpdir(), 'config-'));
	const config = path.join(directory, 'cache.js');
	await writeFile(config, 'export default {store: \'redis://127.0.0.1:1\', memory: 1000, ignoredParameters: [\'session\'], expireAfter: \'1d\'};');
	const {url} = setup.origin;
	const {code, stdout} = await warm(setup, `${url}/a?session=1`, '--config', config);

	assert.equal(code, 0);
	assert.match(stdout, /^Warmed 1 URL: 1 stored; in \d+s, with the options of --config\.\n$/v);
	assert.equal((await setup.client('a?session=2')).isFromCache, true);
	assert.match((await setup.cli('explain', `${url}/a?session=3`, '--config', config)).stdout, /reuse \(fresh\)[\s\S]*by the option `expireAfter`/v);
	assert.match((await setup.cli('explain', `${url}/a?session=3`)).stdout, /fetch \(not-stored\)[\s\S]*Assumed +The default options of redisCache\(\)/v);

	await writeFile(path.join(directory, 'none.js'), 'export const options = {};');
	await writeFile(path.join(directory, 'wrong.js'), 'export default {expireAfer: 1};');
	for (const [file, message] of [['none.js', /has no options as its default export/v], ['wrong.js', /expireAfer/v], ['missing.js', /cannot be loaded/v]] as const) {
		const {code: mistake, stderr} = await setup.cli('ls', '--config', path.join(directory, file));
		assert.equal(mistake, 2, file);
		assert.match(stderr, message);
	}

	await rm(directory, {recursive: true});
});

test('warm sends header fields, which select variants', async () => {
	await using setup = await setUpCli();
	await warm(setup, `${setup.origin.url}/vary`, '-H', 'accept-language: de');
	assert.equal((await setup.client('vary', {headers: {'accept-language': 'de'}})).isFromCache, true);
});

test('warm reads sitemaps, indexes of sitemaps, and what is compressed', async () => {
	await using setup = await setUpCli();
	const {origin} = setup;
	const sitemap = (...paths: readonly string[]) => `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">${paths.map(each => `<url>\n<loc>\n ${origin.url}/${each} </loc><image:image><image:loc>${origin.url}/image</image:loc></image:image></url>`).join('')}</urlset>`;
	const serve = origin.handler;
	origin.handler = (request, response, body) => {
		const files: Record<string, string | Uint8Array> = {
			'/index.xml': `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>${origin.url}/one.xml</loc></sitemap><sitemap><loc>${origin.url}/two.xml.gz</loc></sitemap></sitemapindex>`,
			'/one.xml': sitemap('a?x=1&amp;y=2', '<![CDATA[b?x=1&y=2]]>').replace(/<loc>\s*(?<origin>\S+?)<!\[CDATA\[/v, '<loc><![CDATA[$<origin>'),
			'/two.xml.gz': gzipSync(sitemap('c&#47;d')),
		};
		const file = files[request.url];
		if (file === undefined) {
			serve(request, response, body);
		} else {
			response.end(file);
		}
	};

	const {code, stdout} = await setup.cli('warm', `${origin.url}/index.xml`);
	assert.equal(code, 0);
	assert.match(stdout, /^Warmed 3 URLs: 3 stored; /v);
	assert.deepEqual(pathsAsked(setup).filter(each => !each.includes('xml')), ['/a?x=1&y=2', '/b?x=1&y=2', '/c/d']);

	const folder = await mkdtemp(path.join(tmpdir(), 'cli-test-'));
	try {
		const file = path.join(folder, 'sitemap.xml.gz');
		await writeFile(file, gzipSync(sitemap('e')));
		assert.match((await setup.cli('warm', file)).stdout, /^Warmed 1 URL: 1 stored/v);
	} finally {
		await rm(folder, {recursive: true});
	}
});

test('warm heeds Retry-After, and asks again', async () => {
	await using setup = await setUpCli();
	const times: number[] = [];
	setup.origin.handler = (_request, response) => {
		times.push(performance.now());
		const isBusy = times.length === 1;
		response.writeHead(isBusy ? 429 : 200, isBusy ? {'retry-after': '1'} : {'cache-control': 'max-age=60'}).end();
	};

	const {code, stdout} = await warm(setup, `${setup.origin.url}/a\n${setup.origin.url}/b`, '--concurrency', '1');
	assert.equal(code, 0);
	assert.ok(stdout.startsWith('Warmed 2 URLs: 2 stored'));
	assert.equal(times.length, 3);
	assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 1000);
});

test('warm counts and names failures, and exits with 6', async () => {
	await using setup = await setUpCli();
	const {url} = setup.origin;
	const serve = setup.origin.handler;
	setup.origin.handler = (request, response, body) => {
		const statuses: Record<string, number> = {'/missing': 404, '/busy': 503, '/later': 503};
		const status = statuses[request.url];
		if (status === undefined) {
			serve(request, response, body);
		} else {
			response.writeHead(status, {'retry-after': request.url === '/later' ? '3600' : '0'}).end();
		}
	};

	const {code, stdout, stderr} = await warm(setup, ['missing', 'busy', 'later', 'good'].map(each => `${url}/${each}`).join('\n') + '\nnonsense\nftp://example.com/\nhttp://127.0.0.1:1/', '--concurrency', '1');
	assert.equal(code, 6);
	assert.match(stdout, /^Warmed 7 URLs: 1 stored, 6 failed; in/v);
	assert.deepEqual(stderr.trimEnd().split('\n').map(line => line.replaceAll(url, '')), [
		'/missing: the origin answered 404',
		'/busy: the origin answered 503 4 times',
		'/later: the origin answered 503, and asks to wait for 1h',
		'nonsense: it is no absolute URL of http or https',
		'ftp://example.com/: it is no absolute URL of http or https',
		'http://127.0.0.1:1/: connect ECONNREFUSED 127.0.0.1:1',
	]);
});

test('warm says which responses may not be stored, and why', async () => {
	await using setup = await setUpCli();
	setup.origin.handler = (_request, response) => {
		response.writeHead(200, {'cache-control': 'no-store'}).end();
	};

	const {code, stdout} = await warm(setup, `${setup.origin.url}/a`);
	assert.equal(code, 0);
	assert.match(stdout, /^Warmed 1 URL: 0 stored, 1 not stored \(no-store\); /v);
});

test('warm makes as many requests at a time as it is told', async () => {
	await using setup = await setUpCli();
	let under = 0;
	let most = 0;
	const waiting: Array<() => void> = [];
	setup.origin.handler = (_request, response) => {
		under++;
		most = Math.max(most, under);
		waiting.push(() => {
			under--;
			response.end();
		});
		if (waiting.length === 3) {
			for (const answer of waiting.splice(0)) {
				answer();
			}
		}
	};

	await warm(setup, Array.from({length: 9}, (_, index) => `${setup.origin.url}/${index}`).join('\n'), '--concurrency', '3');
	assert.equal(most, 3);
});

test('an interrupted warm tells what is done, and exits with 130', unlessFast, async () => {
	await using setup = await setUpCli();
	const serve = setup.origin.handler;
	const {promise: isStuck, resolve} = Promise.withResolvers<void>();
	setup.origin.handler = (request, response, body) => {
		if (request.url === '/stuck') {
			resolve();
		} else {
			serve(request, response, body);
		}
	};

	const child = spawn(process.execPath, [main, 'warm', '-', '--concurrency', '1'], {env: environment({REDIS_URL: setup.redis.url})});
	child.stdin.end(`${setup.origin.url}/a\n${setup.origin.url}/stuck`);
	await isStuck;
	child.kill('SIGINT');
	const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number]>]);
	assert.equal(code, 130);
	assert.match(stdout, /^Interrupted after 1 URL: 1 stored; /v);
});

test('warm without URLs, and of what cannot be read, says so', async () => {
	await using setup = await setUpCli();
	assert.deepEqual([(await warm(setup, '# nothing\n')).code, (await warm(setup, '<urlset></urlset>')).code], [1, 1]);
	const missing = await setup.cli('warm', '/does/not/exist');
	assert.deepEqual(
		[missing.code, missing.stderr],
		[
			2,
			'got-redis-cache: /does/not/exist cannot be read (ENOENT: no such file or directory, open \'/does/not/exist\'): give a file, or - for standard input\n',
		],
	);
	const refused = await setup.cli('warm', 'http://127.0.0.1:1/sitemap.xml');
	assert.equal(refused.code, 6);
	assert.ok(refused.stderr.includes('cannot be read (connect ECONNREFUSED'));
	assert.equal((await runCli(['warm', '-', '--store', 'redis://127.0.0.1:1'])).code, 3);
	assert.match((await warm(setup, '', '--rate', 'fast')).stderr, /--rate is 'fast': give a number of requests a second, such as 10 or 0\.5/v);
	assert.equal((await warm(setup, '', '--concurrency', '0')).code, 2);
});

test('a pace lets so many requests begin in a second, and none in a break', async t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	let nowMs = 0;
	t.mock.method(performance, 'now', () => nowMs);
	const {signal} = new AbortController();
	const pace = createPace(10, signal);
	const begun: number[] = [];
	const worker = async () => {
		for (let index = 0; index < 3; index++) {
			await pace.turn();
			begun.push(nowMs);
			if (index === 1) {
				pace.pause(1000);
			}
		}
	};

	const working = {isOver: false};
	const work = worker().finally(() => {
		working.isOver = true;
	});
	while (!working.isOver) {
		await new Promise(resolve => {
			setImmediate(resolve);
		});
		nowMs += 50;
		t.mock.timers.tick(50);
	}

	await work;
	assert.equal(begun.length, 3);
	assert.ok((begun[1] ?? 0) - (begun[0] ?? 0) >= 100);
	assert.ok((begun[2] ?? 0) - (begun[1] ?? 0) >= 1000);
});

test('Retry-After is read as seconds and as a date', () => {
	const nowMs = Date.parse('Mon, 30 Nov 2026 12:00:00 GMT');
	assert.deepEqual([
		retryAfterMs(undefined, nowMs),
		retryAfterMs('120', nowMs),
		retryAfterMs('Mon, 30 Nov 2026 12:01:00 GMT', nowMs),
		retryAfterMs('Mon, 30 Nov 2026 11:00:00 GMT', nowMs),
		retryAfterMs('soon', nowMs),
	], [undefined, 120_000, 60_000, 0, undefined]);
});

test('progress is a line of a terminal that fits it, and nothing elsewhere', () => {
	const written: string[] = [];
	const terminal = (isTTY: boolean) => ({
		isTTY,
		columns: 40,
		write: (line: string) => written.push(line),
	});
	createProgress(terminal(true), () => 100).show(50, 'details '.repeat(20));
	const [line = ''] = written;
	assert.ok(line.startsWith('\r\u{1B}[K[##########..........]  50/100  '), JSON.stringify(line));
	assert.ok(line.length - 4 < 40);

	written.length = 0;
	createProgress(terminal(false), () => 100).show(50, '');
	createProgress(terminal(false), () => 100).clear();
	assert.deepEqual(written, []);
});
