/**
Lets the process exit although this timer is pending. Some environments replace Node's timers, as jsdom does with numbers; these have no `unref()`.
*/
export const inBackground = <Timer extends Partial<NodeJS.Timeout>>(timer: Timer): Timer => {
	timer.unref?.();
	return timer;
};
