import {createRequire} from 'node:module';

type Config = Partial<Readonly<Record<'RESP' | 'modules' | 'functions' | 'scripts' | 'unstableResp3', unknown>>>;

type ClassCache = {
	get(config: Config | undefined): unknown;
	set(config: Config | undefined, value: unknown): void;
};

const classes = new WeakMap<ClassCache, Map<string, unknown>>();

/** `undefined`: the client has commands of the test's own. */
const keyOf = ({RESP, modules, functions, scripts, unstableResp3}: Config = {}): string | undefined =>
	modules ?? functions ?? scripts ? undefined : JSON.stringify([RESP, unstableResp3]);

/**
Lets the clients of different servers share a class.

Node-redis 5.12 builds a class of some 800 methods, which takes 30 ms, for each client whose options differ from the last client's. The class depends on a few of the options alone.
*/
export const shareClientClasses = (): void => {
	const {default: SingleEntryCache} = createRequire(import.meta.resolve('@redis/client'))('./lib/single-entry-cache.js') as {default: {prototype: ClassCache}};
	Object.assign(SingleEntryCache.prototype, {
		get(config) {
			const key = keyOf(config);
			return key === undefined ? undefined : classes.get(this)?.get(key);
		},
		set(config, value) {
			const key = keyOf(config);
			if (key !== undefined) {
				classes.set(this, (classes.get(this) ?? new Map<string, unknown>()).set(key, value));
			}
		},
	} satisfies ThisType<ClassCache> & ClassCache);
};
