import {decodedName, normalizeUrl} from './url.ts';

/*
Credentials by the names that they commonly have, in a query or in a header field. Values are kept out of all that is stored, listed and told; they tell requests apart by the key, which is a hash.
*/

/** Lower-case, letters and digits alone, without a leading `x-`. `docs/security.md` has the same, as they are written. */
export const credentialsByKind = {
	keys: 'accesskey apikey appkey authkey functionskey googapikey ocpapimsubscriptionkey secretkey sessionkey subscriptionkey',
	tokens: 'accesstoken apitoken authenticationtoken authtoken bearertoken clientassertion csrftoken idtoken jobtoken jwt oauthtoken oauthverifier privatetoken refreshtoken securitytoken sessiontoken token usertoken xsrftoken',
	secrets: 'apisecret appsecret clientsecret consumersecret jsessionid passphrase passwd password phpsessid pwd secret sessionid',
	signatures: 'hmac oauthsignature sharedaccesssignature sig signature',
	signedUrls: 'amzcredential amzsecuritytoken amzsignature awsaccesskeyid googcredential googleaccessid googsignature hdnea hdnts ossaccesskeyid osscredential osssecuritytoken osssignature qsignature',
	headerFields: 'authorization cookie proxyauthorization',
} as const;

const credentialNames: ReadonlySet<string> = new Set(Object.values(credentialsByKind).flatMap(names => names.split(' ')));

/** Names that mean a credential only with such a value. */
const credentialValues: ReadonlyMap<string, RegExp> = new Map([
	// Google
	['key', /^AIza[\w\-]{35}$/v],
	// OpenWeather
	['appid', /^[\da-f]{32}$/iv],
]);

/** `user[password]` is a `password`. */
const canonicalName = (name: string): string => (/\[(?<inner>[^\[\]]+)\]$/v.exec(name)?.groups?.inner ?? name).toLowerCase().replace(/^x[\-_]/v, '').replaceAll(/[^\da-z]/gv, '');

/** Whether a header field or a query parameter of that name holds a credential. */
export const isCredentialName = (name: string): boolean => credentialNames.has(canonicalName(name));

/** Stands in the place of a credential. */
export const redacted = 'REDACTED';

/** The value of a query parameter that is a credential. An empty one is none. */
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

/** A URL as it is stored, listed and told: normalised, without ignored parameters and with `REDACTED` in the place of each credential. */
export const redactedUrl = (url: string, ignoredParameters?: ReadonlySet<string>): string => withoutCredentials(normalizeUrl(url, ignoredParameters));

/** Whether a credential was taken out of a URL, which then may be that of several requests. */
export const isRedacted = (url: string): boolean => parametersOf(url).some(parameter => credentialIn(parameter) === redacted);

/** Whether a parameter of a pattern has a credential in it, which no stored URL has. A `*` stands for any text in front of its name, and behind the beginning of its value. */
const isSoughtInVain = (parameter: string): boolean => {
	const name = parameter.slice(0, Math.max(0, parameter.indexOf('=')));
	const [value = ''] = (credentialIn(parameter.slice(name.lastIndexOf('*') + 1)) ?? '').split('*', 1);

	return !redacted.startsWith(value);
};

/** Whether the query of a pattern has a credential in it, so that no stored URL matches. */
export const hasCredential = (query: string): boolean => query.split('&').some(parameter => isSoughtInVain(parameter));
