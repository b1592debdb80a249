import {Buffer} from 'node:buffer';
import {type StoredPolicy, type StoredResponse, type VariantIndex} from '../../source/types/stored.ts';

export const policy = (overrides: Partial<StoredPolicy> = {}): StoredPolicy => ({
	isShared: true,
	freshnessLifetimeSeconds: 60,
	correctedInitialAgeSeconds: 0.042,
	requestTimeMs: 1_763_868_000_000,
	responseTimeMs: 1_763_868_000_042,
	isNoCache: false,
	isMustRevalidate: false,
	isImmutable: false,
	staleWhileRevalidateSeconds: undefined,
	staleIfErrorSeconds: undefined,
	isInvalidated: false,
	...overrides,
});

export const response = (overrides: Partial<StoredResponse> = {}): StoredResponse => ({
	kind: 'response',
	method: 'GET',
	url: 'https://api.example.com/items?page=1',
	selectingHeaders: {},
	statusCode: 200,
	statusMessage: 'OK',
	httpVersion: '1.1',
	rawHeaders: [
		'Content-Type',
		'application/json; charset=utf-8',
		'Cache-Control',
		'public, max-age=60',
		'ETag',
		'"33a64df551425fcc55e4d42a148795d9f25f89d4"',
		'X-My-Field',
		'ÿ\u{80}',
		'set-cookie',
		'a=1',
		'set-cookie',
		'b=2',
	],
	policy: policy(),
	range: undefined,
	tags: [],
	groups: [],
	versions: [],
	indexId: '',
	body: Buffer.from([0, 255, 13, 10, 128, 36]),
	...overrides,
});

export const index = (overrides: Partial<VariantIndex> = {}): VariantIndex => ({
	kind: 'index',
	indexId: 'q7x',
	vary: ['accept-encoding', 'accept-language'],
	variants: [
		{id: 'k3', keptUntilMs: Number.MAX_SAFE_INTEGER, etag: 'W/"1"'},
		{id: 'k2', keptUntilMs: 1_763_868_060_000, etag: ''},
	],
	...overrides,
});
