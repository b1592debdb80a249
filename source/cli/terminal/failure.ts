/*
The results of a command, as its process tells them.
*/

/** The exit codes, which docs/command-line.md and `--help` list. */
export const exitCodes = {
	done: 0,
	nothingFound: 1,
	wrongUsage: 2,
	unreachable: 3,
	refused: 4,
	notConfirmed: 5,
	incomplete: 6,
	unwritten: 7,
	declined: 8,
	unexpected: 70,
	interrupted: 130,
} as const;

export type Outcome = keyof typeof exitCodes;

/** Says each exit code in a few words. */
export const exitCodeMeanings: ReadonlyArray<readonly [outcome: Outcome, meaning: string]> = [
	['done', 'done'],
	['nothingFound', 'found nothing'],
	['wrongUsage', 'wrong usage'],
	['unreachable', 'the store cannot be reached'],
	['refused', 'the store refused: a password, permissions, or it takes no writes'],
	['notConfirmed', 'the store did not confirm a purge or a switch'],
	['incomplete', 'some of it failed'],
	['unwritten', 'the output could not be written, such as to a full disk'],
	['declined', 'not done, since the answer to the question was no'],
	['unexpected', 'an error in got-redis-cache itself'],
	['interrupted', 'interrupted'],
];

/**
A failure whose message is all that its user needs: what went wrong, and what to do.
*/
export class Failure extends Error {
	override readonly name = 'Failure';

	readonly outcome: Outcome;

	constructor(outcome: Outcome, message: string, cause?: unknown) {
		super(message, {cause});
		this.outcome = outcome;
	}
}
