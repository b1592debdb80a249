import got from 'got';
import type {Contender} from '../contender.ts';
import {gotClient} from './parts/got-client.ts';

const doNothing = () => undefined;

const contender: Contender = {
	name: 'got, hooks and a handler that do nothing',
	answersFrom: 'origin',
	setup: async () => gotClient(got.extend({
		handlers: [(options, next) => next(options)],
		hooks: {
			init: [doNothing],
			beforeRequest: [doNothing],
			beforeRedirect: [doNothing],
			beforeRetry: [doNothing],
			beforeError: [error => error],
			afterResponse: [response => response],
		},
	})),
};

export default contender;
