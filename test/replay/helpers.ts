import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import got, {type ExtendOptions, type Got} from 'got';
import {replay, type Recorder, type ReplayOptions} from '../../source/replay.ts';
import {startOrigin, type Origin} from '../helpers/origin.ts';

export type Setup = AsyncDisposable & {
	readonly origin: Origin;
	readonly folder: string;
	/** A client with a recorder of its own, as in another run of the tests. */
	open(options?: Partial<ReplayOptions>, gotOptions?: ExtendOptions): {recorder: Recorder; client: Got};
	/** The content of each file in the folder, by its name. */
	files(): Record<string, string>;
	/** The names of the recordings. */
	recordings(): string[];
};

export const setUp = async (): Promise<Setup> => {
	const origin = await startOrigin();
	const folder = mkdtempSync(path.join(tmpdir(), 'replay-test-'));
	const names = () => readdirSync(folder).toSorted();

	return {
		origin,
		folder,
		open(options = {}, gotOptions = {}) {
			const recorder = replay({folder, ...options});
			return {recorder, client: got.extend({prefixUrl: origin.url, retry: {limit: 0}}, gotOptions, recorder)};
		},
		files: () => Object.fromEntries(names().map(name => [name, readFileSync(path.join(folder, name), 'latin1')])),
		recordings: () => names().filter(name => name.endsWith('.json') && !name.includes('.body.')),
		async [Symbol.asyncDispose]() {
			await origin.stop();
			rmSync(folder, {recursive: true, force: true});
		},
	};
};
