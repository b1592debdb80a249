import type {RequestHead} from './message.ts';
import type {Settings} from './settings.ts';

/** The fields that distinguish users without a name. */
export const userFields: readonly string[] = ['authorization', 'cookie'];

/** The request of a user who is known by name: credentials neither select responses nor forbid storing them. */
export const requestOfUser = (request: RequestHead): RequestHead => {
	const {authorization, cookie, ...headers} = request.headers;

	return {...request, headers};
};

/** The rules for the request of a named user: responses stored under a name form a private cache of that user, RFC 9111 §1. */
export const settingsOfUser = (settings: Settings): Settings => ({
	...settings,
	isShared: false,
	matchHeaders: settings.matchHeaders.filter(name => !userFields.includes(name)),
});
