/*
The findings of the doctor.
*/

export type Verdict = 'ok' | 'warning' | 'failed';

export type Finding = {
	/** The subject, in a word or two. */
	readonly name: string;
	readonly verdict: Verdict;
	/** The measurement, or the setting. */
	readonly detail: string;
	/** The remedy, unless all is well. */
	readonly advice?: string;
};

export const ok = (name: string, detail: string): Finding => ({name, verdict: 'ok', detail});

export const warning = (name: string, detail: string, advice: string): Finding => ({name, verdict: 'warning', detail, advice});

export const failed = (name: string, detail: string, advice: string): Finding => ({name, verdict: 'failed', detail, advice});
