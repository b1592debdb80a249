/**
Bodies that memory holds, as text: made once, where there is room for it. Bodies take precedence over texts.
*/
export type Texts = {
	read(body: Uint8Array, decode: () => string): string;

	/** To be called when a body has been taken into memory. */
	hold(body: Uint8Array): void;

	/** To be called when it is gone. */
	release(body: Uint8Array): void;
};

/** Shorter bodies are as quickly decoded again. */
const longBytes = 16_384;

/**
@param roomBytes - The bytes that the bodies leave.
*/
export const createTexts = (roomBytes: () => number): Texts => {
	const held = new Set<Uint8Array>();
	const texts = new Map<Uint8Array, string>();
	let bytes = 0;

	const drop = (body: Uint8Array): void => {
		const text = texts.get(body);
		if (text === undefined) {
			return;
		}

		texts.delete(body);
		bytes -= sizeOf(text, body);
	};

	return {
		read(body, decode) {
			const known = texts.get(body);
			if (known !== undefined) {
				return known;
			}

			const text = decode();
			const size = sizeOf(text, body);
			if (held.has(body) && bytes + size <= roomBytes()) {
				texts.set(body, text);
				bytes += size;
			}

			return text;
		},
		hold(body) {
			if (body.length >= longBytes) {
				held.add(body);
			}

			for (const oldest of texts.keys()) {
				if (bytes <= roomBytes()) {
					return;
				}

				drop(oldest);
			}
		},
		release(body) {
			held.delete(body);
			drop(body);
		},
	};
};

/** V8 takes two bytes for each character as soon as one is beyond latin1, which as UTF-8 is more than a byte. */
const sizeOf = (text: string, body: Uint8Array): number => text.length === body.length ? text.length : text.length * 2;
