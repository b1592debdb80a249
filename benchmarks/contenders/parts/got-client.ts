import type {Got} from 'got';
import type {Client} from '../../contender.ts';

/** What a user of got writes for bytes, for text and for a stream. */
export const gotClient = (client: Got): Client => {
	const bytes = client.extend({responseType: 'buffer', resolveBodyOnly: true});

	return {
		request: async url => bytes<Uint8Array>(url),
		text: async url => client(url).text(),
		stream: url => client.stream(url),
	};
};
