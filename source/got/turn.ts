/** Nobody notices that others wait for so long. */
const longestTurnMs = 10;

// Node's own, whatever somebody puts in its place later on.
const afterIo = setImmediate;

let startMs: number | undefined;

/**
Whether answers have been given for so long without a turn of the event loop that it had better turn: they need no I/O, so whoever asks for one after the other would keep all others waiting for theirs, the store too.
*/
export const isTurnOverdue = (): boolean => {
	const nowMs = performance.now();
	if (startMs !== undefined) {
		return nowMs - startMs > longestTurnMs;
	}

	startMs = nowMs;
	afterIo(() => {
		startMs = undefined;
	});

	return false;
};

export const nextTurn = async (): Promise<void> => new Promise(resolve => {
	afterIo(resolve);
});
