import {Buffer} from 'node:buffer';
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {crc32} from 'node:zlib';
import fc from 'fast-check';
import {
	decode,
	decodeHead,
	encode,
	headLengthOf,
	type EncodedRecord,
} from '../../source/store/codec/codec.ts';
import {headerNames, headerNumbers} from '../../source/store/codec/header-names.ts';
import {type StoredRecord} from '../../source/types/stored.ts';
import {
	anyChanges,
	forge,
	forgeRecord,
	partsOf,
	stepsDuring,
	varint,
	withChanges,
	type Parts,
} from '../helpers/forge.ts';
import {index, policy, response} from '../helpers/records.ts';
import {triesOf} from '../helpers/runs.ts';

const key = '{6c1e}';

const latin1 = fc.string({unit: fc.integer({min: 0, max: 255}).map(code => String.fromCodePoint(code)), maxLength: 40});
const anyText = fc.string({unit: 'binary', maxLength: 40});
const headerName = fc.oneof(fc.constantFrom(...headerNames.slice(1)), fc.string({unit: fc.constantFrom(...'!#$%&\'*+-.^_`|~09AZaz'), minLength: 1, maxLength: 20}), fc.constant('__proto__'));
const anyNumber = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.double({noNaN: true}).filter(number => !Object.is(number, -0)), fc.integer(), fc.nat().map(ms => ms / 1000));
const optionalNumber = fc.option(anyNumber, {nil: undefined});
const bytes = fc.uint8Array({maxLength: 300});

const anyPolicy = fc.record({
	isShared: fc.boolean(),
	freshnessLifetimeSeconds: anyNumber,
	correctedInitialAgeSeconds: anyNumber,
	requestTimeMs: anyNumber,
	responseTimeMs: anyNumber,
	isNoCache: fc.boolean(),
	isMustRevalidate: fc.boolean(),
	isImmutable: fc.boolean(),
	staleWhileRevalidateSeconds: optionalNumber,
	staleIfErrorSeconds: optionalNumber,
	isInvalidated: fc.boolean(),
}, {noNullPrototype: true});

const anyResponse = fc.record({
	kind: fc.constant('response' as const),
	method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST', 'QUERY', ''), anyText),
	url: fc.oneof(fc.webUrl(), anyText),
	selectingHeaders: fc.array(fc.tuple(headerName, latin1), {maxLength: 4}).map(entries => Object.fromEntries(entries)),
	statusCode: anyNumber,
	statusMessage: fc.oneof(latin1, anyText),
	httpVersion: fc.constantFrom('1.1', '1.0', '2.0', '2', ''),
	rawHeaders: fc.array(fc.tuple(headerName, fc.oneof({weight: 20, arbitrary: latin1}, anyText)), {maxLength: 20}).map(pairs => pairs.flat()),
	policy: anyPolicy,
	range: fc.option(fc.record({firstByte: anyNumber, lastByte: anyNumber, completeLength: anyNumber}, {noNullPrototype: true}), {nil: undefined}),
	tags: fc.array(anyText, {maxLength: 4}),
	groups: fc.array(anyText, {maxLength: 4}),
	versions: fc.array(latin1, {maxLength: 6}),
	indexId: latin1,
	body: bytes,
}, {noNullPrototype: true});

const anyIndex = fc.record({
	kind: fc.constant('index' as const),
	indexId: latin1,
	vary: fc.array(headerName, {maxLength: 5}),
	variants: fc.array(fc.record({id: latin1, keptUntilMs: anyNumber, etag: anyText}, {noNullPrototype: true}), {maxLength: 5}),
}, {noNullPrototype: true});

const anyVersion = fc.record({
	kind: fc.constant('version' as const),
	version: latin1,
	softVersion: anyText,
	purgedAtMs: anyNumber,
	noVarySearch: anyText,
	urlsPurgedUntilMs: anyNumber,
	originSwitch: fc.record({
		kind: fc.constantFrom('freeze', 'bypass', 'thaw'),
		origin: anyText,
		changedAtMs: anyNumber,
		untilMs: anyNumber,
	}, {noNullPrototype: true}),
}, {noNullPrototype: true, requiredKeys: ['kind', 'version', 'softVersion', 'purgedAtMs']});

const anyRecord = fc.oneof(anyResponse, anyIndex, anyVersion);

/** A `Buffer` and a `Uint8Array` of the same bytes are the same body. */
const plain = (record: StoredRecord | undefined): unknown => record?.kind === 'response' ? {...record, body: [...record.body]} : record;

await test('a record that is encoded decodes to itself', () => {
	fc.assert(fc.property(anyRecord, fc.string(), (record, anyKey) => {
		assert.deepEqual(plain(decode(encode(record, anyKey), anyKey)), plain(record));
	}), triesOf(500));
});

await test('a record decodes from any view of its bytes', () => {
	const encoded = encode(response(), key);
	const within = new Uint8Array(encoded.length + 7);
	within.set(encoded, 3);
	assert.deepEqual(plain(decode(within.subarray(3, 3 + encoded.length), key)), plain(response()));
});

await test('decoding copies no body', () => {
	const encoded = encode(response(), key);
	const decoded = decode(encoded, key);
	assert.ok(decoded?.kind === 'response'); // eslint-disable-line node-test/prefer-equality-assertion -- narrows the type
	assert.equal(decoded.body.buffer, encoded.buffer);
});

await test('the head is read without the body', () => {
	fc.assert(fc.property(anyResponse, record => {
		const encoded = encode(record, key);
		const headLength = headLengthOf(encoded.subarray(0, 18));
		const head = decodeHead(encoded.subarray(0, headLength), key);
		assert.deepEqual(plain(head?.record), plain({...record, body: new Uint8Array(0)}));
		assert.equal(head?.bodyLength, record.body.length);
		assert.equal(decodeHead(encoded.subarray(0, (headLength ?? 0) - 1), key), undefined);
	}), {numRuns: 100});
});

await test('another key\'s value is no value', () => {
	assert.equal(decode(encode(response(), key), '{6c1f}'), undefined);
});

await test('a reader refuses another version, unknown flags and foreign bytes', () => {
	const encoded = encode(response(), key);
	const withByte = (position: number, byte: number): Uint8Array => {
		const changed = Buffer.from(encoded);
		changed[position] = byte;
		// As a later version would write it: only what the byte says is wrong, not the checksum.
		changed.writeUInt32LE(crc32(changed.subarray(6, changed.readUIntLE(8, 3)), crc32(key)), 2);
		return changed;
	};

	assert.deepEqual(plain(decode(withByte(6, 1), key)), plain(response()), 'the helper itself changes nothing');
	const foreignValues = [
		withByte(6, 0),
		withByte(6, 2),
		withByte(7, 16),
		withByte(0, 0),
		new Uint8Array(0),
		Buffer.from('{"value":":base64:AAAA","expires":1}'),
		Buffer.from('80049500', 'hex'),
	];
	assert.deepEqual(foreignValues.map(foreign => decode(foreign, key)), foreignValues.map(() => undefined));
	assert.deepEqual(foreignValues.map(foreign => decodeHead(foreign, key)), foreignValues.map(() => undefined));
});

await test('bytes flipped, cut or inserted are no value', () => {
	const change = fc.oneof(
		fc.record({kind: fc.constant('flip'), at: fc.nat(), with: fc.integer({min: 1, max: 255})}),
		fc.record({kind: fc.constant('cut'), at: fc.nat(), with: fc.integer({min: 1, max: 50})}),
		fc.record({kind: fc.constant('insert'), at: fc.nat(), with: fc.integer({min: 0, max: 255})}),
	);
	fc.assert(fc.property(anyRecord, fc.array(change, {minLength: 1, maxLength: 4}), (record, changes) => {
		const encoded = encode(record, key);
		const changed = [...encoded];
		for (const {kind, at, with: amount} of changes) {
			const position = at % (changed.length + 1);
			if (kind === 'flip') {
				changed[position] = (changed[position] ?? 0) ^ amount; // eslint-disable-line no-bitwise -- that is the change
			} else {
				changed.splice(position, ...(kind === 'cut' ? [amount] as const : [0, amount] as const));
			}
		}

		const damaged = Uint8Array.from(changed);
		fc.pre(!encoded.equals(damaged));
		assert.equal(decode(damaged, key), undefined);
	}), triesOf(2000));
});

await test('nonsense with a right checksum is no value and no exception', () => {
	fc.assert(fc.property(bytes, fc.integer({min: 0, max: 7}), fc.nat({max: 330}), (nonsense, flags, stringsStart) => {
		const forged = Buffer.concat([Buffer.alloc(18), nonsense]);
		forged.writeUInt16BE(0xC7_AC, 0);
		forged[6] = 1;
		forged[7] = flags;
		forged.writeUIntLE(forged.length, 8, 3);
		forged.writeUIntLE(stringsStart, 11, 3);
		forged.writeUInt32LE(crc32(forged.subarray(6), crc32(key)), 2);
		const decoded = decode(forged, key);
		assert.ok(decoded === undefined || ['response', 'index', 'version'].includes(decoded.kind));
	}), triesOf(2000));
});

const many = (count: number): string[] => Array.from({length: count}, () => '');
const oneOfMany = (count: number) => index({variants: Array.from({length: count}, (_, position) => ({id: String(position), keptUntilMs: 1, etag: ''}))});

await test('a record that may not be written is not read either', () => {
	const largest = {
		tags: response({tags: many(100), groups: many(156)}),
		versions: response({versions: many(259)}),
		variants: oneOfMany(256),
		head: response({rawHeaders: ['x', 'y'.repeat(262_000)]}),
	};
	for (const [what, record] of Object.entries(largest)) {
		assert.deepEqual(plain(decode(encode(record, key), key)), plain(record), what);
	}

	const tooLarge: Readonly<Record<string, EncodedRecord>> = {
		tags: response({tags: many(100), groups: many(157)}),
		versions: response({versions: many(260)}),
		variants: oneOfMany(257),
		head: response({rawHeaders: ['x', 'y'.repeat(262_145)]}),
		headers: response({rawHeaders: ['x', 'y', 'z']}),
		number: response({statusCode: NaN}),
	};
	for (const [what, record] of Object.entries(tooLarge)) {
		assert.throws(() => encode(record, key), RangeError, what);
	}
});

await test('bytes that the encoder never writes are no value, even with a right checksum', () => {
	const parts = partsOf(encode(response(), key));
	const {numbers, strings} = parts;
	const again = (changed: Partial<Parts>) => decodeHead(forge({...parts, key, ...changed}), key)?.record;
	assert.deepEqual(plain(again({})), plain(response({body: new Uint8Array(0)})), 'the helper itself changes nothing');

	// What follows the policy ends with no versions: a count of 0.
	const withoutMarks = numbers.subarray(0, -1);
	const headless = partsOf(encode(response({rawHeaders: []}), key));
	const withHeaders = (count: number, ...rest: number[]) => again({...headless, numbers: Buffer.concat([headless.numbers.subarray(0, -2), Uint8Array.from([...varint(count), ...rest, 0])])});
	assert.equal(withHeaders(2, 1, 0)?.kind, 'response');
	const three = {numbers: Uint8Array.from([0, 0, 0]), strings: Buffer.alloc(0), body: Buffer.alloc(0)};

	const infinite = Buffer.from(partsOf(encode(response({policy: policy({freshnessLifetimeSeconds: Infinity})}), key)).numbers);
	const notANumber = Buffer.from(infinite.toString('hex').replace('f07f', 'f87f'), 'hex');
	assert.equal(again({numbers: infinite})?.kind, 'response');
	const selecting = partsOf(encode(response({selectingHeaders: {a: ''}, rawHeaders: []}), key));
	const unpaired = Buffer.from(Buffer.from(selecting.numbers).toString('hex').replace(/02000100(?=00$)/v, '010001'), 'hex');
	assert.equal(again(selecting)?.kind, 'response');
	assert.notDeepEqual(unpaired, Buffer.from(selecting.numbers));

	const version = (...rest: number[]) => again({...three, flags: 4, numbers: Uint8Array.from([0, 0, 0, ...rest])});
	assert.equal(version(0, 0, 6, 2, 0, 0, 0)?.kind, 'version');
	assert.equal(version(0, 0, 0)?.kind, 'version');

	const forged: Readonly<Record<string, StoredRecord | undefined>> = {
		'more tags': decodeHead(forgeRecord(response({tags: many(257)}), key), key)?.record,
		'more groups': decodeHead(forgeRecord(response({tags: many(1), groups: many(256)}), key), key)?.record,
		'more variants': decodeHead(forgeRecord(oneOfMany(257), key), key)?.record,
		'a longer head': decodeHead(forgeRecord(response({rawHeaders: ['x', 'y'.repeat(262_100)]}), key), key)?.record,
		'no number': again({numbers: notANumber}),
		'a selecting field without a value': again({...selecting, numbers: unpaired}),
		'a length beyond what is exact': again({numbers: Buffer.concat([Uint8Array.from([...many(7).map(() => 0xFF), 0x7F]), numbers.subarray(1)])}),
		'more versions than there are': again({numbers: Buffer.concat([withoutMarks, Uint8Array.from([...varint(260), ...many(260).map(() => 0)])])}),
		'numbers behind the last': again({numbers: Buffer.concat([numbers, Uint8Array.from([0])])}),
		'text behind the last string': again({strings: Buffer.concat([strings, Buffer.from('x')])}),
		'a number longer than it needs': again({numbers: Buffer.concat([withoutMarks, Uint8Array.from([0x80, 0])])}),
		'a number of nine bytes': again({numbers: Buffer.concat([withoutMarks, Uint8Array.from([...many(8).map(() => 0xFF), 0])])}),
		'a name without a value': withHeaders(1, 1),
		'more fields than there are bytes': withHeaders(2 ** 40, 1, 0),
		'a mark that is compressed': again({...three, flags: 4 + 8}),
		'an index that is compressed': again({...three, flags: 1 + 8}),
		'a version with unknown parts': version(0, 0, 8),
		'a version without a time, and without a switch': version(0, 0, 4),
		'a version with a time that means nothing': version(0, 4, 6, 0, 0, 0, 0),
		'a version with an unknown switch': version(0, 0, 6, 3, 0, 0, 0),
		'a version with a field that is none': decodeHead(forge({key, flags: 4, body: Buffer.alloc(0), numbers: Uint8Array.from([0, 0, 0, 1, 0, 0]), strings: Buffer.from('x')}), key)?.record,
		'a head beyond the longest': again({strings: Buffer.concat([strings, Buffer.alloc(262_400)])}),
	};
	for (const [what, record] of Object.entries(forged)) {
		assert.equal(record?.kind, undefined, what);
	}

	assert.equal(again({...three, flags: 4})?.kind, 'version', 'neither is wrong but for that');
	assert.equal(again({...three, flags: 1})?.kind, 'index');
	assert.equal(headLengthOf(forge({...parts, key, strings: Buffer.alloc(300_000)})), undefined, 'nobody reads that far');
});

await test('text of two bytes a character is read wherever it begins, and whatever room is behind it', () => {
	// An odd number of bytes at an odd address once broke Node's own memory, which ends the process.
	for (let length = 0; length < 2000; length++) {
		const record = response({url: `https://example.com/${'a'.repeat(length % 300)}`, tags: ['\u{1F600}', ...many(length % 16)], body: new Uint8Array(16_384)});
		const encoded = encode(record, key);
		const within = new Uint8Array(encoded.length + 1);
		within.set(encoded, length % 2);
		const decoded = decode(within.subarray(length % 2, (length % 2) + encoded.length), key);
		assert.equal(decoded?.kind === 'response' ? decoded.url : undefined, record.url);
	}
});

await test('whatever is forged, reading takes no more steps than it has bytes, and what is read can be written', () => {
	fc.assert(fc.property(anyRecord, anyChanges, fc.option(fc.nat({max: 15}), {nil: undefined}), (record, changes, flags) => {
		const parts = withChanges(partsOf(encode(record, key)), changes);
		const forged = forge({...parts, key, ...flags !== undefined && {flags}});
		let decoded: EncodedRecord | undefined;
		const steps = stepsDuring(() => {
			decoded = decode(forged, key);
		});
		assert.ok(steps <= (2 * forged.length) + 100, `${steps} steps for ${forged.length} bytes`);
		if (decoded) {
			assert.deepEqual(plain(decode(encode(decoded, key), key)), plain(decoded));
		}
	}), triesOf(2000));
});

await test('a selecting field named __proto__ stays a field', () => {
	const record = response({selectingHeaders: Object.fromEntries([['__proto__', 'x']])});
	const decoded = decode(encode(record, key), key);
	assert.ok(decoded?.kind === 'response'); // eslint-disable-line node-test/prefer-equality-assertion -- narrows the type
	assert.deepEqual(Object.entries(decoded.selectingHeaders), [['__proto__', 'x']]);
	assert.equal(Object.getPrototypeOf(decoded.selectingHeaders), Object.prototype);
});

await test('a head that is too long is refused when it is written', () => {
	const record = response({rawHeaders: ['x', 'y'.repeat(0x1_00_00_00)]});
	assert.throws(() => encode(record, key), RangeError);
});

await test('the numbers of header names are part of the format', () => {
	assert.ok(headerNames.length <= 256);
	assert.equal(headerNumbers.size, headerNames.length - 1, 'each name stands once');
	// Appending names keeps these; anything else would read old records wrongly.
	assert.equal(headerNumbers.get('accept-ranges'), 1);
	assert.equal(headerNumbers.get('x-xss-protection'), 94);
	assert.equal(headerNumbers.get('Accept-Ranges'), 95);
	assert.equal(headerNumbers.get('X-Xss-Protection'), 188);
	assert.equal(headerNumbers.get('X-XSS-Protection'), 204);
	assert.equal(crc32(headerNames.slice(0, 205).join('\n')), 2_513_091_751);
});

await test('the format is what docs/contributing/wire-format.md shows', () => {
	const record = response({rawHeaders: ['ETag', '"1"'], policy: policy(), body: Buffer.from('hi')});
	assert.equal(encode(record, key).toString('hex'), [
		'c7ac fd298a37 01 00 530000 2a0000 ac2a93d8',
		'02 01 15 f001 a901 80f89bd7abcd01 a801 24 a006 02 02 bf 03 00',
		'68747470733a2f2f6170692e6578616d706c652e636f6d2f6974656d733f706167653d31 4f4b 223122',
		'6869',
	].join('').replaceAll(' ', ''));
});

await test('an entry costs little more than its body', () => {
	const overhead = encode(response(), key).length - response().body.length - response().url.length - response().rawHeaders.filter((_, position) => position % 2 === 1).join('').length;
	assert.ok(overhead <= 75, `${overhead} bytes`);
});

await test('an index decodes to itself', () => {
	assert.deepEqual(decode(encode(index(), key), key), index());
});
