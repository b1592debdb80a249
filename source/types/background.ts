/**
Lets the process end although a timer is due. Where the environment has put timers of its own in the place of Node's, as jsdom does with its numbers, there is nothing to let go of.
*/
export const inBackground = <Timer extends Partial<NodeJS.Timeout>>(timer: Timer): Timer => {
	timer.unref?.();
	return timer;
};
