import path from 'node:path';
import type {HandlerFunction, Options} from 'got';
import {createLibrary} from './library.ts';
import type {ReplaySettings} from './options.ts';
import type {Recording} from './recording.ts';
import {createRequestFunction} from './request-function.ts';
import type {RequestFunction} from './native-request.ts';

/** A recording of the folder. */
export type RecordingInfo = {
	/** The name of the file in the folder. */
	readonly file: string;
	/** Upper-case. */
	readonly method: string;
	/** Without secrets and ignored parameters. */
	readonly url: string;
};

/** Records and replays the responses of the got instances that are extended with it: the result of `replay()`. */
export class Recorder {
	readonly #folder: string;
	readonly #library: ReturnType<typeof createLibrary>;

	/** For `got.extend()`. */
	readonly handlers: HandlerFunction[];

	constructor(settings: ReplaySettings) {
		const library = createLibrary(settings);
		const own = new WeakSet<RequestFunction>();
		this.#folder = settings.folder;
		this.#library = library;
		this.handlers = [((options: Options | undefined, next: Parameters<HandlerFunction>[1]) => {
			// Got has none where it was called with what makes none. A request that is made with the options of another one has the function already.
			if (options && !(options.request && own.has(options.request))) {
				const request = createRequestFunction({settings, library, options, own: options.request});
				own.add(request);
				options.request = request;
			}

			return next(options!);
		}) as HandlerFunction];
	}

	#inform({file, request: {method, url}}: Recording): RecordingInfo {
		return {file: path.relative(this.#folder, file), method, url};
	}

	/**
	Returns the recordings that have answered no request since the recorder was made, in the order of their names. In the mode `'record'`, those that were not made anew.

	@throws {FileError} If a file of the folder is no recording.
	*/
	unused(): RecordingInfo[] {
		return this.#library.unused().map(recording => this.#inform(recording));
	}

	/**
	Removes the recordings that `unused()` lists, with their bodies, and returns them.

	@throws {FileError} If a file of the folder is no recording.
	*/
	removeUnused(): RecordingInfo[] {
		const unused = this.#library.unused();
		this.#library.remove(unused);

		return unused.map(recording => this.#inform(recording));
	}
}
