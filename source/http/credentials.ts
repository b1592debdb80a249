import {decodedName, normalizeUrl} from './url.ts';

/*
Credentials are recognized by common names, in queries and header fields. Their values are never stored, listed or reported; they distinguish requests only through the key, which is a hash.
*/

/** The names in lower case, reduced to letters and digits, without a leading `x-`. `docs/security.md` lists them in their usual spelling. */
export const credentialsByKind = {
	keys: 'accesskey apikey appkey authkey functionskey googapikey ocpapimsubscriptionkey secretkey sessionkey subscriptionkey',
	tokens:
		'accesstoken apitoken authenticationtoken authtoken bearertoken clientassertion csrftoken idtoken jobtoken jwt oauthtoken oauthverifier privatetoken refreshtoken securitytoken sessiontoken token usertoken xsrftoken',
	secrets: 'apisecret appsecret clientsecret consumersecret jsessionid passphrase passwd password phpsessid pwd secret sessionid',
	signatures: 'hmac oauthsignature sharedaccesssignature sig signature',
	signedUrls:
		'amzcredential amzsecuritytoken amzsignature awsaccesskeyid googcredential googleaccessid googsignature hdnea hdnts ossaccesskeyid osscredential osssecuritytoken osssignature qsignature',
	headerFields: 'authorization cookie proxyauthorization',
} as const;

const credentialNames: ReadonlySet<string> = new Set(Object.values(credentialsByKind).flatMap(names => names.split(' ')));

/** Names that denote a credential only with a value of this form. */
const credentialValues: ReadonlyMap<string, RegExp> = new Map([
	// Google
	['key', /^AIza[\w\-]{35}$/v],
	// OpenWeather
	['appid', /^[\da-f]{32}$/iv],
]);

/** Reduces a name to its canonical form; the name of `user[password]` is `password`. */
const canonicalName = (name: string): string => (/\[(?<inner>[^\[\]]+)\]$/v.exec(name)?.groups?.inner ?? name).toLowerCase().replace(/^x[\-_]/v, '').replaceAll(/[^\da-z]/gv, '');

/** Whether a header field or query parameter of this name holds a credential. */
export const isCredentialName = (name: string): boolean => credentialNames.has(canonicalName(name));

/** The text that replaces a credential. */
export const redacted = 'REDACTED';

/** The value of a query parameter that is a credential; `undefined` for other parameters and empty values. */
const credentialIn = (parameter: string): string | undefined => {
	const equals = parameter.indexOf('=');
	const value = equals === -1 ? '' : parameter.slice(equals + 1);
	if (value === '') {
		return undefined;
	}

	const name = canonicalName(decodedName(parameter));
	const form = credentialValues.get(name);

	return credentialNames.has(name) || (form !== undefined && (value === redacted || form.test(value))) ? value : undefined;
};

const parametersOf = (url: string): string[] => url.includes('?') ? url.slice(url.indexOf('?') + 1).split('&') : [];

/** A normalised URL, or the beginning of one, without the credentials in its query. */
const withoutCredentials = (url: string): string => {
	const queryStart = url.indexOf('?') + 1;
	if (queryStart === 0) {
		return url;
	}

	const parameters = parametersOf(url).map(parameter => {
		const credential = credentialIn(parameter);
		return credential === undefined ? parameter : parameter.slice(0, -credential.length) + redacted;
	});

	return url.slice(0, queryStart) + parameters.join('&');
};

/** A URL as it is stored, listed and reported: normalised, without ignored parameters, and with `REDACTED` in place of each credential. */
export const redactedUrl = (url: string, ignoredParameters?: ReadonlySet<string>): string => withoutCredentials(normalizeUrl(url, ignoredParameters));

/** Whether a credential was removed from a URL, which several requests may therefore share. */
export const isRedacted = (url: string): boolean => parametersOf(url).some(parameter => credentialIn(parameter) === redacted);

/** Whether a parameter of a pattern contains a credential, which no stored URL has. A `*` may stand for text before the name, and after the beginning of the value. */
const isSoughtInVain = (parameter: string): boolean => {
	const name = parameter.slice(0, Math.max(0, parameter.indexOf('=')));
	const [value = ''] = (credentialIn(parameter.slice(name.lastIndexOf('*') + 1)) ?? '').split('*', 1);

	return !redacted.startsWith(value);
};

/** Whether the query of a pattern contains a credential, so that no stored URL matches. */
export const hasCredential = (query: string): boolean => query.split('&').some(parameter => isSoughtInVain(parameter));
