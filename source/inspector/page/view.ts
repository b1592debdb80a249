/** One view of the page, which the address names. */
export type View = {
	readonly title: string;
	/**
	Shows the view in an element.

	@param parameters - From the address.
	@param signal - Is aborted when another view is shown.
	*/
	show(root: HTMLElement, parameters: URLSearchParams, signal: AbortSignal): void | Promise<void>;
};

/** Runs an action again and again, while the view is shown and the page is seen. */
export const repeat = (action: () => Promise<unknown>, intervalMs: number, signal: AbortSignal): void => {
	const run = async (): Promise<void> => {
		if (!document.hidden) {
			await action().catch(() => undefined);
		}

		if (!signal.aborted) {
			setTimeout(run, intervalMs);
		}
	};

	setTimeout(run, intervalMs);
};
