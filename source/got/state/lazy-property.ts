import type {Options, PlainResponse, Response} from 'got';
import type {BodyMemory} from '../../store/ports/records.ts';
import type {GotExchange} from './request-state.ts';
import {define, type Message} from './incoming-message.ts';

/** The parts from which a response's properties are made, once somebody looks at them. */
export type LazyResponse = {
	readonly state: GotExchange;
	readonly options: Options;
	/** With its fragment. */
	readonly requestUrl: string;
	/** Its bytes are not the caller's to change. */
	readonly message: Message;
	/** Where the bytes come from. */
	readonly store: BodyMemory;
};

class Itself { // eslint-disable-line @typescript-eslint/no-extraneous-class
	constructor(value: Response) {
		return value; // eslint-disable-line no-constructor-return -- so that a field of a subclass becomes one of `value`
	}
}

// A private field of the response: nobody sees it, and a weak map would cost more than the whole answer.
class Keeper extends Itself {
	static unmadeOf(response: PlainResponse): LazyResponse | undefined {
		return #unmade in response ? response.#unmade : undefined;
	}

	readonly #unmade: LazyResponse;

	constructor(response: Response, unmade: LazyResponse) {
		super(response);
		this.#unmade = unmade;
	}
}

/** `undefined` for a response that a request was made for. */
export const {unmadeOf} = Keeper;

export const keepLazy = (response: Response, unmade: LazyResponse): void => {
	new Keeper(response, unmade); // eslint-disable-line no-new
};

/**
A property that is made when it is looked at. One for all responses: with an accessor of its own, each would have a shape of its own, and that outlives it.
*/
export const lazyProperty = <Name extends keyof Response>(name: Name, make: (response: Response, unmade: LazyResponse) => Response[Name]): PropertyDescriptor & ThisType<Response> => ({
	get() {
		const unmade = unmadeOf(this);
		return unmade && define(this, name, make(this, unmade));
	},
	set(value: Response[Name]) {
		define(this, name, value);
	},
	enumerable: true,
	configurable: true,
});
