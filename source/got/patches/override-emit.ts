import type {EventEmitter} from 'node:events';

export type Emit = (event: string | symbol, ...arguments_: unknown[]) => boolean;

/**
Has `intercept` called in the place of an emitter's listeners. No listener is added: got goes by what listens, and so may its user.

@param intercept - Is given what calls the listeners, and returns what to call in its place.
*/
export const overrideEmit = (emitter: EventEmitter, intercept: (emit: Emit) => Emit): void => {
	Object.defineProperty(emitter, 'emit', {
		value: intercept(emitter.emit.bind(emitter) as Emit),
		configurable: true,
		writable: true,
	});
};
