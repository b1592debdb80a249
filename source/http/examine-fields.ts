import {hasUnqualified} from './cache-control.ts';
import {note, pass, warning, type Check, type Exam, type Finding} from './finding.ts';
import {fieldValue} from './header-fields.ts';
import {qualifiedNames} from './stored-fields.ts';
import {hasValidator, isWeak, validatorsOf} from './validators.ts';
import {selectingFieldNames} from './vary.ts';

/*
Checks of the fields that identify and select: validators, `Vary`, cookies and credentials.
*/

/** RFC 9110 §8.8.3. */
const isEntityTag = (etag: string): boolean => /^(?:W\/)?"[\u{21}\u{23}-\u{7E}\u{80}-\u{FF}]*"$/v.test(etag);

const validator: Check = ({headers, appraisal: {policy}}) => {
	const {etag, lastModified} = validatorsOf(headers);
	if (!hasValidator({etag, lastModified})) {
		const effect = policy.isNoCache ? 'as a whole before each use' : 'as a whole when it is stale';

		return warning('validators', `It has neither \`ETag\` nor \`Last-Modified\`: it is fetched ${effect}.`, {rfc: 'RFC 9110 §8.8', mend: 'Send an `ETag`, and answer `If-None-Match` with 304.'});
	}

	if (etag === undefined) {
		return pass('validators', 'It can be validated by `Last-Modified`, to the second.', 'RFC 9110 §8.8.2');
	}

	if (!isEntityTag(etag)) {
		return warning('etag', '`ETag` is not in the form `"…"` or `W/"…"`.', {rfc: 'RFC 9110 §8.8.3', mend: 'Send it in double quotes.'});
	}

	return pass('validators', isWeak(etag) ? 'It can be validated by a weak `ETag`; parts are not put together by it.' : 'It can be validated by `ETag`.', 'RFC 9110 §8.8.3');
};

/** Fields that have nearly as many values as there are requests. */
const diverse: ReadonlySet<string> = new Set(['cookie', 'referer', 'user-agent', 'x-request-id', 'x-forwarded-for', 'date', 'traceparent']);

/** More fields multiply to more variants than requests find. */
const mostFields = 4;

const vary: Check = ({headers}) => {
	const names = selectingFieldNames(headers, []);
	// The clause `vary-star` tells of it.
	if (names === undefined || names === '*') {
		return undefined;
	}

	const costly = names.filter(name => diverse.has(name));
	if (costly.length > 0) {
		return warning(
			'vary',
			`\`Vary\` names ${costly.join(', ')}, of which nearly each client has another value: few requests find a stored response.`,
			{rfc: 'RFC 9110 §12.5.5', mend: 'Leave such fields out of `Vary`, or say whose the response is with `private`.'},
		);
	}

	return names.length > mostFields
		? warning('vary', `\`Vary\` names ${names.length} fields: each combination of values is a response of its own.`, {
			rfc: 'RFC 9110 §12.5.5',
			mend: 'Name only fields that the response depends on.',
		})
		: pass('vary', `\`Vary\` names ${names.join(', ')}: each value is a response of its own.`, 'RFC 9111 §4.1');
};

const encoding: Check = ({headers, contentEncoding}) => {
	const names = selectingFieldNames(headers, []) ?? [];

	return contentEncoding === undefined || contentEncoding === 'identity' || names === '*' || names.includes('accept-encoding')
		? undefined
		: warning(
			'vary',
			`The content is encoded with ${contentEncoding}, and \`Vary\` does not name \`Accept-Encoding\`: another cache may give it to clients that cannot decode it.`,
			{rfc: 'RFC 9110 §12.5.5', mend: 'Send `Vary: Accept-Encoding`.'},
		);
};

/** Whether a shared cache stores a cookie for everybody. */
const isCookieShared = ({headers, settings, appraisal: {isExplicit, directives}}: Exam): boolean => headers['set-cookie'] !== undefined
	&& settings.isShared
	&& (isExplicit || directives.has('public'))
	&& !hasUnqualified(directives, 'private')
	&& !hasUnqualified(directives, 'no-store')
	&& !qualifiedNames(directives, settings).includes('set-cookie');

const cookie: Check = exam =>
	isCookieShared(exam)
		? warning('set-cookie', 'It has `Set-Cookie` and may be stored: everybody is given the same cookie.', {
			rfc: 'RFC 9111 §7.3',
			mend: 'Leave `Set-Cookie` out of responses for everybody, or send `no-cache="set-cookie"`.',
		})
		: undefined;

const authorization: Check = ({request, settings}) => fieldValue(request.headers, 'authorization') !== undefined && settings.isShared
	? note('authorization', 'The request has `Authorization`: only a response that has `public`, `s-maxage` or `must-revalidate` is stored, and given to everybody.', 'RFC 9111 §3.5')
	: undefined;

export const examineFields = (exam: Exam): readonly Finding[] => [validator, vary, encoding, cookie, authorization].map(check => check(exam)).filter(finding => finding !== undefined);
