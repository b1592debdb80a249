/**
Why a test is not meant to pass, in our words: for the report alone.
*/
const malformedAge = 'A malformed `Age` is ignored, and of several values the first one counts: RFC 9111 §5.1. So says the suite now.';
const unansweredRequest = 'It expects a field of the origin’s response to a request that the origin leaves unanswered. The suite has since been mended.';
const misplacedPart = 'The stored part says that it has six bytes and has five: the last five, as they were asked for. This test takes them for the first five.';

export const reasons: ReadonlyMap<string, string> = new Map([
	['vary-normalise-lang-order', 'Servers prefer the first of languages of equal weight, so that their order decides what they answer: `negotiator` of Express, Koa and Fastify does.'],
	['vary-normalise-lang-select', 'The two values of `Accept-Language` are not equivalent: RFC 9111 §4.1.'],
	['conditional-lm-fresh-no-lm', 'The stored `Date` is later than `If-Modified-Since`: RFC 9111 §4.3.2.'],
	['partial-store-partial-reuse-partial-byterange', misplacedPart],
	['partial-store-partial-reuse-partial-absent', misplacedPart],
	['partial-store-partial-complete', 'Parts without a validator cannot be combined, RFC 9111 §3.4, so asking for the rest is of no use.'],
	['other-cookie', 'A private cache keeps apart what was answered to different cookies.'],
	['age-parse-nonnumeric', malformedAge],
	['age-parse-negative', malformedAge],
	['age-parse-float', malformedAge],
	['age-parse-prefix-twoline', malformedAge],
	['age-parse-dup-0', malformedAge],
	['age-parse-dup-0-twoline', malformedAge],
	['age-parse-dup-old', malformedAge],
	['age-parse-parameter', malformedAge],
	['age-parse-numeric-parameter', malformedAge],
	['stale-close-must-revalidate', unansweredRequest],
	['stale-close-proxy-revalidate', unansweredRequest],
	['stale-close-no-cache', unansweredRequest],
	['stale-close-s-maxage=2', unansweredRequest],
	['304-etag-update-response-Content-MD5', 'RFC 9111 §3.2 makes no exception of it. The suite has since made it a check.'],
	['304-etag-update-response-ETag', 'A 304 with another strong validator updates nothing, RFC 9111 §4.3.4: the origin is asked again.'],
]);
