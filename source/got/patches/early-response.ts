import type {Options, RequestPromise, Response} from 'got';
import {isGot15} from '../state/got-15.ts';

/*
Got 15 tells the `'response'` listeners of a promise before its hooks have seen the response; got 16, once the promise has one. So that no listener is told of a 304 that only the cache asked for, or of a failure that a stored response takes the place of, they are told here when it is settled.
*/

type Listener = (response: Response) => void;

type Listening = {
	readonly listener: Listener;
	readonly relay: Listener;
};

/** Who is to be told of a response, once it is settled. */
const held = new WeakMap<Response, Listener[]>();

/** To be called by a hook as soon as it has a response whose place another one may take. */
export const holdListeners = (response: Response): void => {
	held.set(response, []);
};

/**
To be called when the hook is done with the response, unless the origin is asked again: nobody is told of this one then.

@param final - What the caller is given.
*/
export const tellListeners = (response: Response, final: Response): void => {
	const listeners = held.get(response) ?? [];
	held.delete(response);
	for (const listener of listeners) {
		listener(final);
	}
};

/** Has the listeners of a promise of got's told of what is settled. */
export const holdEarlyResponses = (options: Options, promise: RequestPromise): RequestPromise => {
	if (!isGot15(options) || typeof (promise as Partial<RequestPromise> | undefined)?.off !== 'function') {
		return promise;
	}

	const {on, once, off} = promise as Record<'on' | 'once' | 'off', (event: string, listener: unknown) => unknown>;
	const all: Listening[] = [];

	const stop = (position: number) => {
		const [listening] = all.splice(position, 1);
		off.call(promise, 'response', listening?.relay);
	};

	const listen = (listener: Listener, isOnce: boolean) => {
		const listening: Listening = {
			listener,
			relay(this: unknown, response) {
				const tell = (final: Response) => {
					const position = all.indexOf(listening);
					if (position === -1) {
						return;
					}

					if (isOnce) {
						stop(position);
					}

					listener.call(this, final);
				};

				const waiting = held.get(response);
				if (waiting) {
					waiting.push(tell);
				} else {
					tell(response);
				}
			},
		};
		all.push(listening);
		on.call(promise, 'response', listening.relay);
	};

	// Got copies them to what it makes of the promise.
	const methods = {
		on(this: unknown, event: string, listener: Listener) {
			if (event === 'response') {
				listen(listener, false);
			} else {
				on.call(promise, event, listener);
			}

			return this;
		},
		once(this: unknown, event: string, listener: Listener) {
			if (event === 'response') {
				listen(listener, true);
			} else {
				once.call(promise, event, listener);
			}

			return this;
		},
		off(this: unknown, event: string, listener: Listener) {
			const position = event === 'response' ? all.findLastIndex(listening => listening.listener === listener) : -1;
			if (position === -1) {
				off.call(promise, event, listener);
			} else {
				stop(position);
			}

			return this;
		},
	};

	return Object.assign(promise, methods as Partial<RequestPromise>);
};
