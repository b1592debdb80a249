import type {EventEmitter} from 'node:events';

export type Emit = (event: string | symbol, ...arguments_: unknown[]) => boolean;

/**
Puts an interceptor before all listeners of an emitter. No listener is added: got goes by what listens, and so may its user.

@param intercept - Is given what calls the listeners, and returns what is to be called in its place.
*/
export const interceptEvents = (emitter: EventEmitter, intercept: (emit: Emit) => Emit): void => {
	Object.defineProperty(emitter, 'emit', {
		value: intercept(emitter.emit.bind(emitter) as Emit),
		configurable: true,
		writable: true,
	});
};
