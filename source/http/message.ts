/** Header fields by lower-case name, as `http.IncomingMessage#headers` has them. */
export type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export type RequestHead = {
	/** Upper-case, such as `GET`. */
	readonly method: string;
	/** Absolute, without userinfo and fragment. */
	readonly url: string;
	readonly headers: HeaderFields;
	/** The request as functions of the user's are given it, where that is more than the rules go by. */
	readonly given?: unknown;
};

/** The content of a response, for functions of the user's. */
export type Content = {
	/** As got gives it, decoded; `undefined` while it is on its way. */
	readonly bytes: Uint8Array | undefined;
	/** Whether it was wanted before it had come: what was decided without it is to be decided again. */
	isMissed: boolean;
};

export type ResponseHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	/** Such as `1.1`. */
	readonly httpVersion: string;
	/** Names and values in turn, in the order, case and repetition in which they arrived. */
	readonly rawHeaders: readonly string[];
	/** Where functions of the user's are asked about it. */
	readonly content?: Content | undefined;
};
