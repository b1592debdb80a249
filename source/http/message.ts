/** Header fields by lower-case name, as `http.IncomingMessage#headers` has them. */
export type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export type RequestHead = {
	/** Upper-case, such as `GET`. */
	readonly method: string;
	/** Absolute, without userinfo and fragment. */
	readonly url: string;
	readonly headers: HeaderFields;
	/** The request that the user's functions get, if it has more than these fields. */
	readonly given?: unknown;
};

/** The content of a response, for the user's functions. */
export type Content = {
	/** The decoded bytes as in got; `undefined` while they are in transit. */
	readonly bytes: Uint8Array | undefined;
	/** Whether a function asked for the content before it had arrived. The decision is then made again with the content. */
	isMissed: boolean;
};

export type ResponseHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	/** Such as `1.1`. */
	readonly httpVersion: string;
	/** Alternating names and values as received, with order, case and repetition. */
	readonly rawHeaders: readonly string[];
	/** The content, if functions of the user may ask for it. */
	readonly content?: Content | undefined;
};
