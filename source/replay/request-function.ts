import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {captureBody} from './capture-body.ts';
import {describeRequest, type DescribedRequest} from './described-request.ts';
import type {Library} from './library.ts';
import {
	isClientRequest,
	makeRequest,
	toNativeCall,
	type NativeCall,
	type RequestFunction,
	type RequestResult,
} from './native-request.ts';
import type {ReplaySettings} from './options.ts';
import {toHttpBytes} from './recorded-answer.ts';
import {onResponse, recordResponse} from './record-response.ts';
import {readRecordedBody, type Recording} from './recording.ts';
import {createReplayedRequest, type Replay} from './replayed-request.ts';

const noBody = new Uint8Array();

type Context = {
	readonly settings: ReplaySettings;
	readonly library: Library;
	/** The options of the request. */
	readonly options: Options;
	/** The user's request function. */
	readonly own: RequestFunction | undefined;
};

const describeCall = ({url, native}: NativeCall, body: Uint8Array, {settings}: Context): DescribedRequest =>
	describeRequest({method: native.method ?? 'GET', url: url.href, headers: native.headers, body}, settings.matching);

/** Whether a request cannot have a body, so that all of it is known before it is sent. */
const isBodiless = ({native: {method = 'GET', headers}}: NativeCall): boolean => ['GET', 'HEAD'].includes(method.toUpperCase())
	&& headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;

const bodyOf = ({body}: Options): Uint8Array => typeof body === 'string' ? new TextEncoder().encode(body) : (body instanceof Uint8Array ? body : noBody);

/** A failure as Node.js reports it. */
const recordedFailure = ({code, message}: {readonly code: string; readonly message?: string | undefined}): Error => Object.assign(new Error(message ?? code), {code});

const giveRecording = ({answer, ...recording}: Recording, {method}: DescribedRequest, replay: Replay): void => {
	if (answer.kind === 'error') {
		replay.fail(recordedFailure(answer.error));
		return;
	}

	const {response} = answer;
	replay.answer(toHttpBytes(method, response, readRecordedBody({answer, ...recording}, response), Date.now()));
};

/** Asks the network, and records the response. */
const record = async (call: NativeCall, context: Context): Promise<RequestResult> => {
	const {library, options, own} = context;
	// A folder that cannot be read would lose the response.
	library.open();
	const result = await makeRequest(options, own, call);
	const add = (response: IncomingMessage, body: () => Uint8Array) => {
		recordResponse(response, received => {
			library.add(describeCall(call, body(), context), received);
		});
	};

	if (isClientRequest(result)) {
		const body = captureBody(result);
		onResponse(result, response => {
			add(response, body);
		});
	} else {
		add(result as IncomingMessage, () => bodyOf(options));
	}

	return result;
};

/** Asks the network in place of a replayed request that has no recording. */
const recordInstead = async (call: NativeCall, body: Uint8Array, {request, replay}: {readonly request: ClientRequest; readonly replay: Replay}, context: Context): Promise<void> => {
	const result = await record(call, context);
	if (!isClientRequest(result)) {
		replay.relay(result as IncomingMessage);
		return;
	}

	result.once('response', (response: IncomingMessage) => {
		replay.relay(response);
	});
	result.once('error', error => {
		replay.fail(error);
	});
	result.once('close', () => {
		request.destroy();
	});
	request.once('close', () => {
		result.destroy();
	});
	if (request.destroyed) {
		result.destroy();
	} else {
		result.end(body);
	}
};

const replayWhenSent = (call: NativeCall, context: Context): ClientRequest => {
	const {settings: {mode}, library} = context;
	const request = createReplayedRequest(call, (body, replay) => {
		const described = describeCall(call, body, context);
		const recording = mode === 'record' ? undefined : library.take(described, mode === 'auto');
		if (recording) {
			giveRecording(recording, described, replay);
			return;
		}

		if (mode === 'replay') {
			throw library.unrecorded(described);
		}

		void (async () => {
			try {
				await recordInstead({...call, callback: undefined, parameters: [call.url, call.native]}, body, {request, replay}, context);
			} catch (error) {
				replay.fail(error as Error);
			}
		})();
	});

	return request;
};

/**
The request function of a recorder: got calls it in place of `http.request()`, when all hooks have run.
*/
export const createRequestFunction = (context: Context): RequestFunction => ((...parameters: readonly unknown[]) => {
	const {settings: {mode}, library} = context;
	const call = toNativeCall(...parameters);
	// Behind a cache, a response over HTTP/2 can be seen before the cache takes its place only if the cache does not know the native request.
	const isHttp2 = context.options.http2 && call.url.protocol === 'https:';
	if (mode === 'record' && !isHttp2) {
		return record(call, context);
	}

	if (mode === 'auto' && !isHttp2 && isBodiless(call)) {
		const described = describeCall(call, noBody, context);
		const recording = library.take(described, true);
		return recording
			? createReplayedRequest(call, (_body, replay) => {
				giveRecording(recording, described, replay);
			})
			: record(call, context);
	}

	return replayWhenSent(call, context);
});
