import type {BeforeRequestHook} from 'got';
import type {Hooks} from '../state/context.ts';
import type {GotOptions} from '../state/got-options.ts';

type Chain = BeforeRequestHook[];

/** Has `hook` run once more, behind all others. Got goes through the chain as it is by then. */
export const appendTo = (chain: Chain, hook: BeforeRequestHook): void => {
	if (chain.at(-1) !== hook) {
		chain.push(hook);
	}
};

/** Whether a hook that is being called is not called again, and no other hook after it. */
export const isOnceAndLast = (chain: Chain, hook: BeforeRequestHook): boolean => chain.indexOf(hook) === chain.length - 1;

export const leaveChain = (chain: Chain, hook: BeforeRequestHook): void => {
	chain.splice(0, chain.length, ...chain.filter(other => other !== hook));
};

/**
To be called by `hook` itself, before it waits for anything.

@returns Whether it is the last of the chain, which it leaves then, so that nobody finds it there later. Otherwise it runs once more.
*/
export const leaveAsLast = (chain: Chain, hook: BeforeRequestHook): boolean => {
	if (chain.at(-1) !== hook) {
		chain.push(hook);
		return false;
	}

	leaveChain(chain, hook);

	return true;
};

const isOnceAndFirst = <Hook>(chain: readonly Hook[], hook: Hook): boolean => chain.lastIndexOf(hook) === 0;

const moveToFront = <Hook>(chain: Hook[], hook: Hook): void => {
	chain.splice(0, chain.length, hook, ...chain.filter(other => other !== hook));
};

/** @param list - The cache's own list, which has one hook. */
const putFirst = <Hook>(chain: Hook[], list: readonly Hook[]): void => {
	const [hook] = list;
	if (hook !== undefined && !isOnceAndFirst(chain, hook)) {
		moveToFront(chain, hook);
	}
};

/**
Has the cache's hooks for what comes of a request run before all others, each once: no hook sees what the cache has added to the request or what only the cache has asked for. Puts back what has been dropped, as got drops the `afterResponse` hooks after `retryWithMergedOptions()`.
*/
export const comeFirst = ({hooks}: GotOptions, {beforeRedirect, beforeRetry, beforeError, afterResponse}: Hooks): void => {
	putFirst(hooks.beforeRedirect, beforeRedirect);
	putFirst(hooks.beforeRetry, beforeRetry);
	putFirst(hooks.beforeError, beforeError);
	putFirst(hooks.afterResponse, afterResponse);
};
