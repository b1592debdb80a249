import type {ClientRequest, IncomingMessage, RequestOptions} from 'node:http';
import type {Options} from 'got';

/** Got's function that makes a native request, as the user may replace it. */
export type RequestFunction = NonNullable<Options['request']>;

export type RequestResult = Awaited<ReturnType<RequestFunction>>;

export type NativeOptions = RequestOptions & {
	readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>;
	readonly href?: string;
	/** A session of HTTP/2. */
	readonly h2session?: unknown;
};

/** The arguments with which got calls a request function. */
export type NativeCall = {
	readonly url: URL;
	readonly native: NativeOptions;
	readonly callback: ((response: IncomingMessage) => void) | undefined;
	/** The arguments of the call. */
	readonly parameters: readonly unknown[];
};

/** Got's own cache leaves the URL out, and has it among the options. */
export const toNativeCall = (...parameters: readonly unknown[]): NativeCall => {
	const [first, second, third] = parameters;
	if (first instanceof URL) {
		return {url: first, native: second as NativeOptions, callback: third as NativeCall['callback'], parameters};
	}

	const native = first as NativeOptions;
	return {url: new URL(native.href ?? ''), native, callback: second as NativeCall['callback'], parameters};
};

export const isClientRequest = (value: unknown): value is ClientRequest & {res?: IncomingMessage} =>
	typeof value === 'object' && value !== null && 'emit' in value && 'end' in value && !('statusCode' in value);

type OptionsClass = new (url: URL, options: unknown) => Options;

/** Fields that got keeps from request functions of the user's, and its own for HTTP/2 needs. */
const http2Fields = ['agent', 'timeout', '_timeoutPhase', '_socketTimeout'];

/**
A function that makes a request as got does without a request function: over HTTP/1.1 or HTTP/2.
*/
const makeAsGot = ({constructor, http2, agent, timeout}: Options, {url, native, callback, parameters}: NativeCall): ReturnType<RequestFunction> => {
	const bare = new (constructor as OptionsClass)(url, {http2, agent, timeout: {...timeout}, h2session: native.h2session});
	const make = bare.getRequestFunction() as (...parameters: readonly unknown[]) => ReturnType<RequestFunction>;
	if (!http2 || url.protocol !== 'https:') {
		return make(...parameters);
	}

	const own = bare.createNativeRequestOptions() as Record<string, unknown>;
	const fields = http2Fields.filter(name => own[name] !== undefined).map(name => [name, own[name]] as const);

	return make(url, {...native, ...Object.fromEntries(fields)}, callback);
};

/**
Makes a request to the network: with the user's request function, if there is one.

@param own - The user's request function.
*/
export const makeRequest = async (options: Options, own: RequestFunction | undefined, call: NativeCall): Promise<RequestResult> => {
	const result = await (own as ((...parameters: readonly unknown[]) => ReturnType<RequestFunction>) | undefined)?.(...call.parameters);

	return result ?? makeAsGot(options, call);
};
