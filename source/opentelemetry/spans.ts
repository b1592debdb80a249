import {tracingChannel} from 'node:diagnostics_channel';
import {
	context,
	createContextKey,
	diag,
	SpanKind,
	SpanStatusCode,
	trace,
	type Attributes,
	type Context,
	type Span,
	type Tracer,
} from '@opentelemetry/api';
import type {RedisCache} from '../got/redis-cache.ts';
import {createErrorTypes, originOf} from '../observe/bounded.ts';
import type {ExchangeReport} from '../observe/exchange-report.ts';
import {surroundExchanges, type ExchangeTrace} from '../observe/tracing.ts';
import {methodOf, other, serverOf} from './attributes.ts';

/** An exchange whose span has begun. */
type TracedExchange = {
	readonly span: Span;
	/** The context of the caller. */
	readonly caller: Context;
};

const startAttributes = ({method, url}: ExchangeTrace): Attributes => ({
	'http.request.method': methodOf(method),
	...(methodOf(method) === other && {'http.request.method_original': method}),
	'url.full': url,
	...serverOf(originOf(url)),
});

/** Attributes that are `undefined` are left out by the SDK. */
const endAttributes = ({status, reason, notStored, tier, age, bytes, statusCode, forwardStatus, isRefresh, isCollapsed, retryCount}: ExchangeReport): Attributes => ({
	'cache.status': status,
	'cache.reason': reason,
	'cache.not_stored': notStored,
	'cache.tier': tier,
	'cache.age': age,
	'cache.body.size': bytes,
	'cache.forward_status_code': forwardStatus,
	'cache.collapsed': isCollapsed,
	'cache.refresh': isRefresh,
	'http.response.status_code': statusCode,
	'http.request.resend_count': retryCount > 0 ? retryCount : undefined,
});

/** The requests of each span of callers, by status. */
const countsByCaller = new WeakMap<Span, Map<ExchangeReport['status'], number>>();

/** Tells a caller's span the number of its requests: it may make several. */
const countForCaller = (caller: Context, {status, isRefresh}: ExchangeReport): void => {
	const span = trace.getSpan(caller);
	if (isRefresh || !span?.isRecording()) {
		return;
	}

	const counts = countsByCaller.get(span) ?? new Map<ExchangeReport['status'], number>();
	const count = (counts.get(status) ?? 0) + 1;
	countsByCaller.set(span, counts.set(status, count));
	span.setAttribute(`cache.requests.${status}`, count);
};

/**
Records a span for each exchange of a cache.

@returns A function that ends it.
*/
export const recordSpans = (cache: RedisCache, tracer: Tracer): (() => void) => {
	const exchangeKey = createContextKey('got-redis-cache: exchange');
	const exchanges = new WeakMap<ExchangeTrace, TracedExchange>();
	const errorTypeOf = createErrorTypes(other);

	/** The SDK, its processors and samplers are the user's, and must not fail a request. */
	const safely = <Result>(operation: () => Result): Result | undefined => {
		try {
			return operation();
		} catch (error) {
			diag.error('got-redis-cache: a span was not recorded', error);
			return undefined;
		}
	};

	/** Returns the context of the caller. A redirect, a retry or a refresh begins in the context of the exchange before it, and has the same caller. */
	const callerContext = (active: Context): Context => {
		const former = active.getValue(exchangeKey) as TracedExchange | undefined;

		return former && trace.getSpan(active) === former.span ? former.caller : active;
	};

	const start = (message: ExchangeTrace): TracedExchange => {
		const caller = callerContext(context.active());
		const span = tracer.startSpan(`cache ${methodOf(message.method)}`, {kind: SpanKind.INTERNAL, attributes: startAttributes(message)}, caller);

		return {span, caller};
	};

	const end = ({span, caller}: TracedExchange, {result, error = result?.error}: ExchangeTrace): void => {
		if (result && span.isRecording()) {
			span.setAttributes(endAttributes(result));
		}

		if (error !== undefined) {
			// The message may have a URL with credentials.
			span.setAttribute('error.type', error instanceof Error ? errorTypeOf(error) : other);
			span.setStatus({code: SpanStatusCode.ERROR});
		}

		span.end();
		if (result) {
			countForCaller(caller, result);
		}
	};

	const stopSurrounding = surroundExchanges(cache, (message, begin) => {
		const exchange = safely(() => start(message));
		if (!exchange) {
			return begin();
		}

		exchanges.set(message, exchange);
		return context.with(trace.setSpan(exchange.caller, exchange.span).setValue(exchangeKey, exchange), begin);
	});

	const ignore = () => undefined;
	const channel = tracingChannel<unknown, ExchangeTrace>('got-redis-cache:exchange');
	const subscribers = {
		start: ignore,
		end: ignore,
		asyncStart: ignore,
		error: ignore,
		asyncEnd(message: ExchangeTrace) {
			const exchange = exchanges.get(message);
			if (!exchange) {
				return;
			}

			exchanges.delete(message);
			safely(() => {
				end(exchange, message);
			});
		},
	};
	channel.subscribe(subscribers);

	return () => {
		stopSurrounding();
		channel.unsubscribe(subscribers);
	};
};
