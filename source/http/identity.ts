import type {RequestHead} from './message.ts';
import type {Settings} from './settings.ts';

/** What tells users apart where they are not told apart by name. */
export const userFields: readonly string[] = ['authorization', 'cookie'];

/** A request of a user who is known by name: his credentials neither select among responses nor forbid to store them. */
export const requestOfUser = (request: RequestHead): RequestHead => {
	const {authorization, cookie, ...headers} = request.headers;

	return {...request, headers};
};

/** The rules for such a request: what is stored under the name of one user is a private cache of his own, RFC 9111 §1. */
export const settingsOfUser = (settings: Settings): Settings => ({
	...settings,
	isShared: false,
	matchHeaders: settings.matchHeaders.filter(name => !userFields.includes(name)),
});
