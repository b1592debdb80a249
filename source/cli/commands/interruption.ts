import process from 'node:process';
import {exitCodes} from '../terminal/failure.ts';
import type {Output} from '../terminal/output.ts';

const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
Waits for a change that has been sent to the store. A process that is told to end meanwhile says that the change may have been made.

@param what - The change, such as `'the purge'`.
*/
export const confirmedUnlessInterrupted = async (what: string, output: Output, change: Promise<boolean>): Promise<boolean> => {
	const end = () => {
		output.warn(`Interrupted before the store answered: it is not known whether ${what} took effect. Run the command again to be sure`);
		// eslint-disable-next-line unicorn/no-process-exit -- The process was told to end.
		process.exit(exitCodes.interrupted);
	};

	for (const signal of signals) {
		process.once(signal, end);
	}

	try {
		return await change;
	} finally {
		for (const signal of signals) {
			process.off(signal, end);
		}
	}
};
