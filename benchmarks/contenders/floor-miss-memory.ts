import got from 'got';
import type {Contender} from '../contender.ts';
import {gotClient} from './parts/got-client.ts';

/** As much as the cache keeps by default. */
const maxBytes = 64 * 1024 * 1024;

/** The least that a miss costs in memory: hooks that look into a `Map`, and keep a copy of the body there. */
const contender: Contender = {
	name: 'floor: got hooks with a Map',
	answersFrom: 'origin',
	async setup() {
		const bodies = new Map<string, Uint8Array>();
		let size = 0;
		const removeOldest = (): void => {
			for (const [url, {byteLength}] of bodies) {
				if (size <= maxBytes) {
					return;
				}

				bodies.delete(url);
				size -= byteLength;
			}
		};

		return gotClient(got.extend({
			hooks: {
				beforeRequest: [
					({url}) => {
						bodies.get(String(url));
					},
				],
				afterResponse: [
					response => {
						const body = new Uint8Array(response.rawBody);
						bodies.set(response.url, body);
						size += body.byteLength;
						removeOldest();

						return response;
					},
				],
			},
		}));
	},
};

export default contender;
