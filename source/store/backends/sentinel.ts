import type {RedisConnection} from './redis-connection.ts';

/** A sentinel of node-redis, which tells a list of what it does. */
type TracedSentinel = RedisConnection & {
	setTracer(tracer: Pick<string[], 'push'>): void;
};

export const isSentinel = (connection: RedisConnection): connection is TracedSentinel => 'getSentinelNode' in connection && 'setTracer' in connection;

const sentinelFailure = '#connect: exception';

/** Passes over the next line that is printed in this turn of the event loop, if that is an error. */
const dropNextLogOfError = (): void => {
	const {log} = console;
	const restore = () => {
		if (console.log === logOnce) {
			console.log = log;
		}
	};

	const logOnce = (...values: readonly unknown[]) => {
		restore();
		if (!(values[0] instanceof Error)) {
			log(...values);
		}
	};

	console.log = logOnce;
	queueMicrotask(restore);
};

/** Node-redis 5.12 prints the error, with its stack, each time that no sentinel answers. It tells its tracer just before. */
export const keepFromPrinting = (sentinel: TracedSentinel): void => {
	sentinel.setTracer({
		push(...messages) {
			if (messages.some(message => message.startsWith(sentinelFailure))) {
				dropNextLogOfError();
			}

			return 0;
		},
	});
};
