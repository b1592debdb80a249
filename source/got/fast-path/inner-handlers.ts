import type {HandlerFunction, InitHook} from 'got';

/*
A handler that stands behind the cache's is not called when the cache answers. So the cache has to know of it, and got tells nobody but an `init` hook.
*/

const isOfCache = Symbol('handler of a cache');

export const registerHandler = (handler: HandlerFunction): HandlerFunction => Object.assign(handler, {[isOfCache]: true});

/** Marks the options of an instance, and of all that are made from it. */
const mark: InitHook = () => undefined;

/** Got calls it with what an instance is extended with, handlers included. */
export const watchHandlers: InitHook = (plain, self) => {
	const {handlers} = plain as {handlers?: readonly HandlerFunction[]};
	if (handlers?.some(handler => !Object.hasOwn(handler, isOfCache)) && !self.hooks.init.includes(mark)) {
		self.hooks.init.push(mark);
	}
};

export const hasInnerHandlers = (init: readonly InitHook[]): boolean => init.includes(mark);
