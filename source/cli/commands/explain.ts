import {Failure, type Outcome} from '../terminal/failure.ts';
import {plainLines, wrapIndented} from '../terminal/text.ts';
import type {Command, CommandContext} from './command.ts';
import {distinctionOf, isEncrypted, isStoreKey, isUrl, missingKeys, requestOf, requestOptions} from './request.ts';

/** The command knows no program. */
const assumed = '\nAssumed    The default options of redisCache(); --config FILE has those of your program.';

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Where the lines of an explanation begin, behind their names. */
const indent = 11;

const run = async ({given, output, store}: CommandContext): Promise<Outcome> => {
	const [target = ''] = given.positionals;
	if (!isUrl(target)) {
		throw new Failure('wrongUsage', `'${target}' is no absolute URL: give one such as https://api.example.com/items${isStoreKey(target) ? '; `got-redis-cache show` tells that of a key' : ''}`);
	}

	const explanation = await store.open({...distinctionOf(given), isCounting: true}).explain(requestOf(given, target), {ask: given.flag('ask')});
	if (!explanation.store.isAnswering) {
		store.throwIfFailed();
	}

	const text = plainLines(`${explanation.text}\nAsked      ${capitalized(store.place)}.${store.isConfigured ? '' : assumed}`);
	await (output.isJson ? output.json({...explanation, asked: {store: store.address, namespace: store.namespace}}) : output.line(text.split('\n').map(line => wrapIndented(line, output.columns, indent)).join('\n')));
	if (explanation.stored.length === 0 && await isEncrypted(store)) {
		output.warn(`The responses in this namespace are encrypted: ${missingKeys}`);
	}

	return 'done';
};

export const explain: Command = {
	name: 'explain',
	summary: 'say why a request is, or is not, answered from the cache',
	usage: 'URL [options]',
	arguments: [1, 1],
	options: {
		...requestOptions,
		ask: {type: 'boolean', description: 'ask the origin, past the cache, and judge what it answers; nothing is stored'},
	},
	details:
		'Tells the decision for a request and the rule behind it, the key, everything that is stored with its freshness and its time in Redis, and purges. Nothing is changed, and the origin is not asked without --ask. Your cache is taken to have the default options, unless --config has those of your program. Why responses to the URL were not stored is known of all processes that share the Redis, for an hour.',
	examples: [
		['why a URL is not answered from the cache', 'got-redis-cache explain https://api.example.com/items'],
		['what the origin could do better', 'got-redis-cache explain https://api.example.com/items --ask'],
		['a request with header fields', 'got-redis-cache explain https://api.example.com/items -H \'accept-language: de\''],
	],
	run,
};
