import {isEmbedded, isStoreOption} from '../store/backends/connection.ts';
import {nearestNames} from './similarity.ts';
import {describe, describeRedacted} from './validate.ts';

/*
Options of a node-redis client that node-redis, or this cache, would pass over: a misspelt one of TLS would mean a connection in plain text.
*/

/** Names that `net.createConnection()` and node-redis know, without those that node-redis sets itself. */
const socketNames: readonly string[] = [
	'allowHalfOpen',
	'autoSelectFamily',
	'autoSelectFamilyAttemptTimeout',
	'blockList',
	'connectTimeout',
	'family',
	'fd',
	'hints',
	'host',
	'keepAlive',
	'keepAliveInitialDelay',
	'localAddress',
	'localPort',
	'lookup',
	'noDelay',
	'path',
	'port',
	'signal',
	'socketTimeout',
	'tls',
];

/** Names that `tls.connect()` alone knows. */
const tlsNames: ReadonlySet<string> = new Set([
	'ALPNProtocols',
	'SNICallback',
	'allowPartialTrustChain',
	'ca',
	'cert',
	'checkServerIdentity',
	'ciphers',
	'clientCertEngine',
	'crl',
	'dhparam',
	'ecdhCurve',
	'enableTrace',
	'highWaterMark',
	'honorCipherOrder',
	'key',
	'maxVersion',
	'minDHSize',
	'minVersion',
	'passphrase',
	'pfx',
	'privateKeyEngine',
	'privateKeyIdentifier',
	'pskCallback',
	'rejectUnauthorized',
	'requestCert',
	'requestOCSP',
	'secureContext',
	'secureOptions',
	'secureProtocol',
	'servername',
	'session',
	'sessionIdContext',
	'sessionTimeout',
	'sigalgs',
	'socket',
	'ticketKeys',
]);

const knownNames: readonly string[] = [...socketNames, ...tlsNames];

/** The cache sets these itself. */
const ineffective: ReadonlyMap<string, string> = new Map([
	['clientSideCache', 'the cache has a memory tier of its own, which the option `memory` bounds'],
	['disableOfflineQueue', 'the cache sends nothing to a Redis that is not connected'],
	['pingInterval', 'the cache notices by itself that a connection has fallen silent'],
]);

type Options = Readonly<Record<string, unknown>>;

const refuse = (what: string): never => {
	throw new TypeError(`The option \`store\` is an object ${what}`);
};

const isSecureUrl = (url: unknown): boolean => typeof url === 'string' && /^(?:rediss|valkeys):/iv.test(url);

const refuseIneffective = (options: Options, socket: Options): void => {
	const name = Object.keys(options).find(each => ineffective.has(each) && options[each] !== undefined);
	if (name !== undefined) {
		refuse(`with \`${name}\`, which would have no effect: ${ineffective.get(name)}; leave it out, or pass a client of your own`);
	}

	if (socket.reconnectStrategy !== undefined) {
		refuse('whose `socket` has `reconnectStrategy`, which would have no effect: the cache opens its connection again by itself; leave it out, or pass a client of your own');
	}
};

const refuseUnknownInSocket = (socket: Options): void => {
	const name = Object.keys(socket).find(each => each !== 'reconnectStrategy' && !knownNames.includes(each));
	if (name !== undefined) {
		refuse(`whose \`socket\` has \`${name}\`, which is no option of a connection: expected one of ${nearestNames(name, knownNames).join(', ')}`);
	}
};

/** Node-redis speaks plain text unless `tls` is exactly `true`. */
const refuseUnclearTls = ({url}: Options, socket: Options): void => {
	const {tls} = socket;
	if (tls !== undefined && typeof tls !== 'boolean') {
		const own = typeof tls === 'object' ? '; options of TLS, such as `ca` and `servername`, go beside it' : '';
		refuse(`whose \`socket\` has \`tls\` as ${describe(tls)}, with which node-redis would connect without TLS: expected \`true\` or \`false\`${own}`);
	}

	if (typeof url === 'string' && typeof tls === 'boolean' && tls !== isSecureUrl(url)) {
		refuse(
			`whose \`url\` says that the connection is ${tls ? 'without' : 'with'} TLS, and whose \`socket\` has \`tls: ${String(tls)}\`: expected a ${tls ? 'rediss:' : 'redis:'} URL, or no \`tls\` beside the URL`,
		);
	}

	const name = tls === true || isSecureUrl(url) ? undefined : Object.keys(socket).find(each => tlsNames.has(each) && socket[each] !== undefined);
	if (name !== undefined) {
		refuse(`whose \`socket\` has \`${name}\`, an option of TLS, without TLS: expected \`tls: true\` beside it, or a rediss: URL`);
	}
};

type Place = Readonly<Record<string, string | number | undefined>>;

const withoutBrackets = (hostname: string): string => hostname.replace(/^\[(?<address>[\d:a-f]+)\]$/v, '$<address>');

const numberOf = (text: string | undefined): number | undefined => text ? Number(text) : undefined;

/** A URL in the options that it stands for. */
const optionsInUrl = (url: string): {readonly socket: Place; readonly client: Place} => {
	const {username, password, hostname, port, pathname, protocol, searchParams} = new URL(url);
	const isSocket = protocol === 'unix:';

	return {
		socket: isSocket ? {path: pathname} : {host: withoutBrackets(hostname), port: numberOf(port)},
		client: {
			username: decodeURIComponent(username) || undefined,
			password: decodeURIComponent(password) || undefined,
			database: numberOf(isSocket ? searchParams.get('db') ?? undefined : pathname.slice(1)),
		},
	};
};

/** The URL counts, so another value beside it would be passed over. The same value is fine: node-redis writes a URL's parts into the options that it is given. */
const refuseTwice = (options: Options, socket: Options): void => {
	const {url} = options;
	if (socket.path !== undefined && (socket.host ?? socket.port) !== undefined) {
		refuse(`whose \`socket\` has both \`path\` and \`${socket.host === undefined ? 'port' : 'host'}\`: expected one of them`);
	}

	if (typeof url !== 'string' || !URL.canParse(url)) {
		return;
	}

	const inUrl = optionsInUrl(url);
	const place = ['host', 'port', 'path'].find(name => socket[name] !== undefined && socket[name] !== inUrl.socket[name]);
	if (place !== undefined) {
		refuse(`with a \`url\` and \`socket.${place}\`, which would be passed over: expected one of them (${describeRedacted(url)})`);
	}

	const twice = Object.entries(inUrl.client).find(([name, value]) => value !== undefined && options[name] !== undefined && options[name] !== value)?.[0];
	if (twice !== undefined) {
		refuse(`with \`${twice}\` and a \`url\` that has another, which is the one that would be used: expected one of them`);
	}
};

/** The options of a client that the store is, if it is that. */
export const clientOptionsIn = (store: unknown): Options | undefined => typeof store !== 'object' || store === null || isStoreOption(store) || isEmbedded(store) ? undefined : store as Options;

/**
@throws {TypeError} If the store is options of a node-redis client of which one is unknown, would have no effect, or leaves open whether the connection has TLS.
*/
export const refuseClientOptions = (store: unknown): void => {
	const options = clientOptionsIn(store);
	if (!options) {
		return;
	}

	const {socket} = options;
	refuseIneffective(options, {});
	if (typeof socket !== 'object' || socket === null || Array.isArray(socket)) {
		refuseTwice(options, {});
		return;
	}

	refuseUnknownInSocket(socket as Options);
	refuseIneffective(options, socket as Options);
	refuseUnclearTls(options, socket as Options);
	refuseTwice(options, socket as Options);
};
