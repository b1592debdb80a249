import {EventEmitter} from 'node:events';
import {describe} from '../options/validate.ts';
import type {AuditOutput} from './auditor.ts';
import type {WrongAnswer} from './report.ts';

/** The events of an audit, with the arguments of their listeners. */
export type AuditEvents = {
	/** A hit gave an answer that the origin would not have given. */
	wrong: [report: WrongAnswer];
	/** A hit could not be audited, most often because the origin failed; or a listener threw. `cause` is the error. */
	error: [error: Error];
};

export type Events = AuditOutput & {
	/**
	@throws {TypeError} If there is no such event, or the listener is no function.
	*/
	on<Event extends keyof AuditEvents>(event: Event, listener: (...parameters: AuditEvents[Event]) => void): void;
};

const names: readonly unknown[] = ['wrong', 'error'] satisfies Array<keyof AuditEvents>;

/** Tells listeners. No request and no audit fails by one that throws. */
export const createEvents = (): Events => {
	const emitter = new EventEmitter<AuditEvents>();
	const failed = (error: Error): void => {
		// Without a listener, an `'error'` event would end the process.
		if (emitter.listenerCount('error') === 0) {
			return;
		}

		try {
			emitter.emit('error', error);
		} catch (error_) {
			// The error is the listener's own, and must not be lost.
			queueMicrotask(() => {
				throw error_;
			});
		}
	};

	return {
		on(event, listener) {
			if (!names.includes(event)) {
				throw new TypeError(`Expected the event in on() to be 'wrong' or 'error', got ${describe(event)}`);
			}

			emitter.on(event, listener as never);
		},
		failed,
		wrong(report) {
			try {
				emitter.emit('wrong', report);
			} catch (error) {
				failed(new Error(`got-redis-cache: A listener of the event \`wrong\` threw: ${error instanceof Error ? error.message : String(error)}`, {cause: error}));
			}
		},
	};
};
