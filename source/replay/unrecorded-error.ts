import path from 'node:path';
import type {DescribedRequest} from './described-request.ts';
import type {Nearest} from './differences.ts';
import type {Recording} from './recording.ts';

/** The failure of a request that has no recording, in the mode `'replay'`. */
export class UnrecordedRequestError extends Error {
	/** The name tells it from other errors, also across copies of this package. */
	override readonly name = 'UnrecordedRequestError';
	/** The code of got's error too, by which a test can recognize it. */
	readonly code: string;
	/** Upper-case. */
	readonly method: string;
	/** The URL of the request, without secrets and ignored parameters. */
	readonly url: string;
	/** The path of the nearest recording; `undefined` if the folder has none. */
	readonly nearestFile: string | undefined;
	/** The differences from the nearest recording, in words. */
	readonly differences: readonly string[];

	constructor({method, url}: DescribedRequest, folder: string, nearest: Nearest<Recording> | undefined) {
		const found = nearest
			? `The nearest is ${path.relative(folder, nearest.candidate.file)}, which differs:\n${nearest.differences.map(text => `- ${text}`).join('\n')}`
			: 'The folder has no recordings.';
		super(`No recording of ${method} ${url} in ${folder}. ${found}\nRecord it with the mode 'auto' or 'record'.`);
		this.code = 'ERR_UNRECORDED_REQUEST';
		this.method = method;
		this.url = url;
		this.nearestFile = nearest?.candidate.file;
		this.differences = nearest?.differences ?? [];
	}
}
