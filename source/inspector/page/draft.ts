/** The request that the view Explain asks about. */
export type Draft = {
	readonly url: string;
	readonly method: string;
	/** One a line. */
	readonly headers: string;
	readonly user: string;
	readonly key: string;
	readonly json: string;
};

/** In memory alone: header fields may be credentials, which belong neither into the address nor into the history. */
let kept: Draft | undefined;

export const keepDraft = (draft: Draft): void => {
	kept = draft;
};

/** The request that an address names, with what was typed for the same URL before; without a URL, the last one. */
export const draftFor = (url: string, method: string): Draft => {
	if (kept && (url === '' || (kept.url === url && kept.method === method))) {
		return kept;
	}

	return {url, method, headers: '', user: '', key: '', json: ''};
};
