import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {test} from 'node:test';
import type {Method} from 'got';
import {primaryKey} from '../../source/http/cache-key.ts';
import {respond} from '../helpers/origin.ts';
import {setUp, type Setup} from './helpers.ts';
import {interfaces} from './store-change-helpers.ts';

const formOf = (fields: ReadonlyArray<readonly [name: string, value: string | File]>): FormData => {
	const form = new FormData();
	for (const [name, value] of fields) {
		form.append(name, value);
	}

	return form;
};

const count = ({origin}: Setup) => {
	origin.handler = (_request, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: String(origin.requests.length)});
	};
};

for (const [name, ask] of Object.entries(interfaces)) {
	test(`a FormData is part of the key, whatever its boundary: ${name}`, async () => {
		await using setup = await setUp({methods: ['POST'], filter: () => true});
		count(setup);
		const post = async (form: FormData) => (await ask(setup.client, {method: 'POST', body: form})).body;
		const file = (bytes: string, type = 'text/plain') => new File([bytes], 'a.txt', {type});
		const forms: Array<() => FormData> = [
			() => formOf([['a', '1'], ['b', '2']]),
			() => formOf([['b', '2'], ['a', '1']]),
			() => formOf([['a', '1']]),
			() => formOf([['a', file('1')]]),
			() => formOf([['a', file('2')]]),
			() => formOf([['a', file('2', 'text/html')]]),
			() => formOf([]),
		];
		for (let round = 0; round < 2; round++) {
			for (const [position, create] of forms.entries()) {
				assert.equal(await post(create()), String(position + 1));
			}
		}

		// It arrives as got sends it.
		const [{body, headers}] = setup.origin.requests as [typeof setup.origin.requests[number]];
		const received = await new Response(Buffer.from(body), {headers: {'content-type': headers['content-type'] ?? ''}}).formData();
		assert.deepEqual([...received], [['a', '1'], ['b', '2']]);
	});

	test(`a FormData that is sent again after a 304 for another entity tag is stored: ${name}`, async () => {
		await using setup = await setUp({methods: ['QUERY'], filter: () => true});
		const {origin, client} = setup;
		origin.handler = (_request, response) => {
			const asked = origin.requests.length;
			const isMistaken = asked === 2;
			respond(response, {
				status: isMistaken ? 304 : 200,
				headers: {'cache-control': asked < 3 ? 'no-cache' : 'max-age=60', etag: isMistaken ? '"another"' : '"1"'},
				body: isMistaken ? '' : String(asked),
			});
		};

		const query = async () => (await ask(client, {method: 'QUERY' as Method, body: formOf([['a', '1']])})).body;

		assert.deepEqual([await query(), await query(), await query()], ['1', '3', '3']);
		const [first, , again] = origin.requests.map(({body}) => body.length);
		assert.equal(again, first);
	});

	test(`a FormData that is large, or of a request that is not looked up, is sent as it is, and not stored: ${name}`, async () => {
		await using setup = await setUp({methods: ['POST'], filter: () => true});
		count(setup);
		const large = 'x'.repeat(2 * 1024 * 1024);
		for (const options of [{method: 'POST', body: formOf([['a', large]])}, {method: 'PUT', body: formOf([['a', '1']])}] as const) {
			for (let round = 0; round < 2; round++) {
				const {info} = await ask(setup.client, {...options, body: options.body});
				assert.equal(info?.status, 'bypass');
			}
		}

		assert.ok((setup.origin.requests[0]?.body.length ?? 0) > large.length);
		assert.equal(setup.origin.requests.length, 4);
	});
}

test('a form that a hook sends is the one in the key', async () => {
	await using setup = await setUp({methods: ['POST'], filter: () => true});
	setup.origin.handler = ({body}, response) => {
		respond(response, {headers: {'cache-control': 'max-age=60'}, body: `${setup.origin.requests.length} ${Buffer.from(body).toString()}`});
	};

	for (const [property, create] of Object.entries({
		json: (value: string) => ({value}),
		form: (value: string) => ({value}),
		body: (value: string) => value,
		'FormData in body': (value: string) => formOf([['a', value]]),
	})) {
		setup.origin.requests.length = 0;
		await setup.cache.clear();
		for (const value of ['1', '2', '1', '2']) {
			const sent = setup.origin.requests.length;
			const {body, info} = await interfaces.promise!(
				setup.client.extend({
					hooks: {
						beforeRequest: [
							options => {
								Object.assign(options, {[property.replace('FormData in ', '')]: create(value)});
							},
						],
					},
				}),
				{method: 'POST'},
			);
			// Who is given another's answer would read another's content.
			const isOwn = property === 'body' ? body.endsWith(` ${value}`) : true;
			assert.ok(isOwn, `${property}: ${body}, ${JSON.stringify(info)}`);
			// Got sends nothing of these: then they do not tell requests apart.
			const text = Buffer.from(setup.origin.requests.at(-1)?.body ?? []).toString();
			assert.ok(setup.origin.requests.length > sent || property === 'body' || text === '', `${property} was answered by what was sent as ${text}`);
		}
	}
});

test('no content of a form passes for a delimiter', () => {
	const keyOf = (boundary: string, body: string) => primaryKey({method: 'POST', url: 'https://example.com/', headers: {'content-type': `multipart/form-data; boundary=${boundary}`}}, {ignoredParameters: new Set()}, {body});
	const field = (name: string, value: string) => `\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
	const twoFields = (boundary: string) => `--${boundary}${field('a', '1')}--${boundary}${field('b', '2')}--${boundary}--`;
	assert.equal(keyOf('x', twoFields('x')), keyOf('"y y"', twoFields('y y')));
	for (const other of ['x', 'boundary', 'y y']) {
		assert.notEqual(keyOf('z', twoFields(other)), keyOf(`"${other}"`, twoFields(other)));
		assert.notEqual(keyOf('z', `--z${field('a', `1\r\n--${other}${field('b', '2').trimEnd()}`)}--z--`), keyOf(`"${other}"`, twoFields(other)));
	}
});
