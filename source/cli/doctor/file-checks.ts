import type {StoreAccess} from '../commands/store-access.ts';
import {stateOf, type FileState} from '../commands/sqlite-file.ts';
import {formatBytes} from '../terminal/text.ts';
import {checkRequests, checkValues, failedWith} from './cache-checks.ts';
import {failed, ok, type Finding} from './check.ts';

const damaged = (why: string): Finding =>
	failed(
		'integrity',
		`the file is damaged: ${why}`,
		'The next request that comes upon it sets the file aside, and an empty one begins; if that happens again, check the disk',
	);

const checkIntegrity = (file: string): Finding[] => {
	let state: FileState;
	try {
		state = stateOf(file);
	} catch (error) {
		return [damaged((error as Error).message)];
	}

	const {bytes, freeBytes, integrity} = state;

	return [
		ok('file', `${file}, ${formatBytes(bytes)}${freeBytes > 0 ? `, of which ${formatBytes(freeBytes)} are free` : ''}`),
		integrity === 'ok' ? ok('integrity', 'each page of the file was read') : damaged(integrity),
	];
};

// A damaged one is left as it is.
export const examineFile = async function * (file: string, store: StoreAccess): AsyncGenerator<Finding> {
	let cache: ReturnType<StoreAccess['open']>;
	try {
		cache = store.open();
	} catch (error) {
		yield failedWith('file', error);
		return;
	}

	const findings = checkIntegrity(file);
	yield * findings;
	if (findings.some(({verdict}) => verdict !== 'ok')) {
		return;
	}

	yield await checkRequests(cache.ready());
	yield await checkValues(cache, store);
};
