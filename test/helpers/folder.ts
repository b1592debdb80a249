import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';

export type TestFolder = AsyncDisposable & {
	readonly folder: string;
	readonly file: (name: string) => string;
};

/** Makes a folder of its own, which is removed at the end of the test. */
export const useFolder = async (): Promise<TestFolder> => {
	const folder = await mkdtemp(path.join(tmpdir(), 'test-'));
	return {
		folder,
		file: name => path.join(folder, name),
		async [Symbol.asyncDispose]() {
			await rm(folder, {recursive: true});
		},
	};
};
