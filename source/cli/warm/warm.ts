import type {Command} from '../commands/command.ts';

export const warm: Command = {
	name: 'warm',
	summary: 'request the URLs of a sitemap or a list, so that their responses are stored',
	usage: 'FILE|URL|- [options]',
	arguments: [1, 1],
	options: {
		concurrency: {type: 'string', short: 'c', value: 'COUNT', description: 'so many requests at a time (default: 4)'},
		rate: {type: 'string', short: 'r', value: 'NUMBER', description: 'so many requests a second at most (default: no limit)'},
		header: {type: 'string', short: 'H', value: '\'NAME: VALUE\'', multiple: true, description: 'a header field of each request'},
		tag: {type: 'string', short: 't', value: 'TAG', multiple: true, description: 'a tag for each response'},
		'expire-after': {type: 'string', value: 'DURATION', description: 'how long responses are fresh (default: as their origins say)'},
		refresh: {type: 'boolean', description: 'ask the origin also about responses that are fresh'},
		user: {type: 'string', value: 'USER', description: 'the user, for a cache with the option `user`'},
		key: {type: 'string', value: 'KEY', description: 'the additional key, for a cache with the option `key`'},
	},
	details:
		'FILE is a sitemap, a sitemap index, or a list with one URL a line, each also compressed with gzip; - is standard input. What is stored and fresh is not requested. An origin that answers 429 or 503 is given the break that its Retry-After asks for, up to five minutes, and asked again, up to four times in all. Give the header fields that your program sends, where responses vary by them. The responses are stored as by a cache with the default options, unless --config has those of your program: its requests find them only if the options that make the key are the same.',
	examples: [
		['a list from standard input', 'cat urls.txt | got-redis-cache warm -'],
		['a sitemap, gently', 'got-redis-cache warm https://example.com/sitemap.xml --concurrency 2 --rate 5'],
		['the German variants', 'got-redis-cache warm sitemap.xml -H \'accept-language: de\''],
	],
	async run(context) {
		const {run} = await import('./warming.ts');
		return run(context);
	},
};
