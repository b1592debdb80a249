import './node-version.ts';
import {purging, purgingByLook} from './acceptance/purging.ts';
import {playScene, type Act} from './acceptance/scene.ts';
import {storing} from './acceptance/storing.ts';
import {traffic} from './acceptance/traffic.ts';
import {upkeep, upkeepByLook, upkeepWithoutLook} from './acceptance/upkeep.ts';
import type {RedisCacheOptions} from './options/options.ts';
import type {StoreOption} from './store/backends/connection.ts';
import {describeRedacted, isBoolean, validate, type Rule} from './options/validate.ts';

/** One thing that a store has to be good for. */
export type StoreCheck = {
	/** The check in words: the name of the test. */
	readonly name: string;

	/**
	Resolves when the store passed.

	@throws {AssertionError} When it did not.
	*/
	readonly run: () => Promise<void>;
};

/** Options of `storeChecks()`, about the store. */
export type StoreCheckOptions = {
	/**
	`false`: what `connect` gives leads to other data each time, as with `'memory'`. The checks of several caches on one store are then left out.

	@default true
	*/
	isShared?: boolean | undefined;

	/**
	`false`: the store cannot list its keys. Then `entries()`, `copyTo()`, `clear()` and purging by prefix, pattern and age are not to be had.

	@default true
	*/
	canList?: boolean | undefined;

	/**
	`false`: the store fails now and then. Checked is then only that no request fails, and that none is given a wrong body.

	@default true
	*/
	isReliable?: boolean | undefined;

	/**
	Options of the caches that the checks make on the store.

	@default {timeout: '5s'}
	*/
	cacheOptions?: Pick<RedisCacheOptions, 'timeout' | 'memory' | 'compression' | 'encryption'> | undefined;
};

const cacheOptionNames: readonly string[] = ['timeout', 'memory', 'compression', 'encryption'] satisfies Array<keyof NonNullable<StoreCheckOptions['cacheOptions']>>;

const rules: Readonly<Record<keyof StoreCheckOptions, Rule>> = {
	isShared: [isBoolean, 'a boolean'],
	canList: [isBoolean, 'a boolean'],
	isReliable: [isBoolean, 'a boolean'],
	cacheOptions: [
		value => typeof value === 'object' && value !== null && Object.keys(value).every(name => cacheOptionNames.includes(name)),
		`an object with none but ${cacheOptionNames.join(', ')}`,
		describeRedacted,
	],
};

/**
Checks of everything that `redisCache()` needs of a store. Any test runner can run them, in any order. They use caches with namespaces of their own, in front of servers on loopback, and clear them afterwards.

@param connect - Gives what `redisCache({store})` takes: called once for each cache, and each time with a way to the same data. It closes what it opens itself, after the checks.
@param options - The abilities that the store lacks, and the options of the checks' caches.
@throws {TypeError} If `connect` is no function, or an option is unknown or of the wrong type.

@example
```
import test from 'node:test';
import {storeChecks} from 'got-redis-cache/acceptance';
import {MyAdapter} from './my-adapter.js';

const adapter = new MyAdapter();

for (const {name, run} of storeChecks(() => adapter)) {
	test(name, run);
}
```
*/
export const storeChecks = (connect: () => StoreOption | Promise<StoreOption>, options: StoreCheckOptions = {}): StoreCheck[] => {
	if (typeof connect !== 'function') {
		throw new TypeError(`Expected a function that gives a store in storeChecks(), got a value of type ${typeof connect}`);
	}

	validate(options, rules, {where: 'storeChecks()', noun: 'option'});
	const {isShared = true, canList = true, isReliable = true, cacheOptions = {}} = options;
	const acts: Record<string, Act> = {
		...(isReliable && {
			...storing,
			...purging,
			...upkeep,
			...(canList ? {...purgingByLook, ...upkeepByLook} : upkeepWithoutLook),
		}),
		'requests and purges at random: none fails, and none is given a wrong body': traffic(isReliable),
	};

	return Object.entries(acts).map(([name, act]) => ({
		name,
		run: async () => playScene({connect, isShared, isReliable, cacheOptions}, act),
	}));
};
