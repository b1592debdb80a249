import {Agent, interceptors, request} from 'undici';
import type {Client} from '../../contender.ts';

type Store = NonNullable<NonNullable<Parameters<typeof interceptors.cache>[0]>['store']>;

export const undiciClient = (store: Store): Client => {
	const agent = new Agent();
	const dispatcher = agent.compose(interceptors.cache({store}));

	return {
		async request(url) {
			const {body} = await request(url, {dispatcher});
			return body.bytes();
		},
		async text(url) {
			const {body} = await request(url, {dispatcher});
			return body.text();
		},
		teardown: async () => agent.close(),
	};
};
