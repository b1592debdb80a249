import {contentKey, type DescribedRequest} from './described-request.ts';
import type {MatchingRules} from './options.ts';
import type {MatchedFields, RecordedRequest} from './recording.ts';

/*
The rule by which a request and a recorded one are the same: method, URL, content, and the header fields that distinguish them.
*/

/** Fields that change what a response means: preconditions and ranges, RFC 9110 §13.1 and §14.2. */
const conditionalFields: readonly string[] = ['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range'];

/** Fields that the client sets by itself, another one in each version. */
const clientFields: ReadonlySet<string> = new Set(['accept-encoding', 'connection', 'host', 'user-agent']);

const isDistinguishing = (name: string, {ignoredHeaders, isSecret}: MatchingRules): boolean => !ignoredHeaders.has(name) && !isSecret(name);

const alwaysMatched = (rules: MatchingRules): string[] => [...conditionalFields, ...rules.matchedHeaders];

/** The header fields of a request that are written with a response that names `vary`. */
export const fieldsToWrite = ({fields}: DescribedRequest, vary: string, rules: MatchingRules): MatchedFields => {
	const always = alwaysMatched(rules).filter(name => fields[name] !== undefined);
	const selecting = vary.toLowerCase().split(',').map(name => name.trim()).filter(name => name !== '' && name !== '*' && !clientFields.has(name));
	const names = [...new Set([...always, ...selecting])].filter(name => isDistinguishing(name, rules)).toSorted();

	return Object.fromEntries(names.map(name => [name, fields[name] ?? null]));
};

/** The fields in which a request differs from a recorded one, in lower case. */
export const differingFields = ({fields}: DescribedRequest, recorded: RecordedRequest, rules: MatchingRules): string[] =>
	[...new Set([...alwaysMatched(rules), ...Object.keys(recorded.fields)])]
		.filter(name => isDistinguishing(name, rules) && (fields[name] ?? null) !== (recorded.fields[name] ?? null));

export const isSameContent = (request: DescribedRequest, recorded: RecordedRequest, rules: MatchingRules): boolean => contentKey(request.content, rules) === contentKey(recorded.content, rules);

/** Whether a recording answers a request. */
export const isSameRequest = (request: DescribedRequest, recorded: RecordedRequest, rules: MatchingRules): boolean => request.method === recorded.method
	&& request.url === recorded.url
	&& isSameContent(request, recorded, rules)
	&& differingFields(request, recorded, rules).length === 0;
