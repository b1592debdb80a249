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
import {createBounded, createErrorTypes, maxOrigins, originOf} from '../observe/bounded.ts';
import type {ExchangeReport} from '../observe/exchange-report.ts';
import {surroundExchanges, type ExchangeTrace} from '../observe/tracing.ts';
import {methodOf, other, serverOf} from './attributes.ts';

/** An exchange whose span has begun. */
type TracedExchange = {
	readonly span: Span;
	/** The context of the caller. */
	readonly caller: Context;
};

/** Returns the attributes of a URL's origin, which those of few origins need not be made anew. */
const serverOfUrl = (() => {
	const known = createBounded(maxOrigins, origin => origin === undefined ? undefined : serverOf(origin));

	return (url: string): Attributes => {
		const origin = originOf(url);
		return known(origin) ?? serverOf(origin);
	};
})();

const startAttributes = ({method, url}: ExchangeTrace): Attributes => ({
	'http.request.method': methodOf(method),
	...(methodOf(method) === other && {'http.request.method_original': method}),
	'url.full': url,
	...serverOfUrl(url),
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

	return surroundExchanges(cache, message => {
		const exchange = safely(() => start(message));

		return exchange && {
			run: begin => context.with(trace.setSpan(exchange.caller, exchange.span).setValue(exchangeKey, exchange), begin),
			end(ended) {
				safely(() => {
					end(exchange, ended);
				});
			},
		};
	});
};
