import makeFetchHappen, {type FetchOptions} from 'make-fetch-happen';
import type {Contender} from '../contender.ts';

const contender: Contender = {
	name: 'make-fetch-happen, disk',
	answersFrom: 'disk',
	async setup({directory}) {
		// Its own limit of 15 sockets would decide the comparison of misses. Its types want every option.
		const fetch = makeFetchHappen.defaults({cachePath: directory, maxSockets: 256} as FetchOptions);

		return {
			async request(url) {
				const response = await fetch(url) as unknown as {readonly buffer: () => Promise<Uint8Array>};
				return response.buffer();
			},
		};
	},
};

export default contender;
