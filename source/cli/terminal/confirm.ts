import process from 'node:process';
import {createInterface} from 'node:readline/promises';

/**
Asks a question in the terminal, on stderr.

@returns Whether the answer is yes; `undefined` for Ctrl+C and Ctrl+D.
*/
export const confirm = async (question: string): Promise<boolean | undefined> => {
	const terminal = createInterface({input: process.stdin, output: process.stderr});
	const controller = new AbortController();
	terminal.once('close', () => {
		controller.abort();
	});
	try {
		const answer = await terminal.question(`${question} [y/N] `, {signal: controller.signal});
		return /^y(?:es)?$/iv.test(answer.trim());
	} catch {
		process.stderr.write('\n');
		return undefined;
	} finally {
		terminal.close();
	}
};
