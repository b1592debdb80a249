/*
The likeliest causes of store errors, and their remedies.
*/

type Failure = {readonly message: string; readonly code?: unknown};

const noTls = 'A Redis without TLS has a redis: URL, not rediss:';

/** A server without TLS answers a TLS client by closing the connection, or by waiting for the end of a line. */
const adviceForTls: ReadonlyArray<readonly [fits: RegExp, advice: string]> = [
	[/^(?:ECONNRESET|EPIPE|Socket closed unexpectedly)/v, noTls],
	[/^Connection timeout/v, `Is the address right, does a firewall let it through, and does that Redis have TLS? ${noTls}`],
];

const demoted = 'A master has become a replica, and the client still takes it for the master: that passes when it has heard of the failover';

/** Users who already passed a cluster or a sentinel must not be advised to pass one. */
const adviceByKind: ReadonlyMap<string, ReadonlyArray<readonly [fits: RegExp, advice: string]>> = new Map([
	['a cluster', [
		[/^CLUSTERDOWN/v, 'The cluster lacks a master for some of its slots, or cannot reach most of its masters: see `CLUSTER INFO` on its nodes. It is used as soon as it is up again'],
		[/^(?:CROSSSLOT|MOVED|ASK )/v, 'The slots of the cluster are on the move, or its nodes do not agree where they are: see `CLUSTER NODES` on each of them'],
		[/^READONLY/v, demoted],
	]],
	['a sentinel', [
		[/^READONLY/v, demoted],
	]],
]);

/** Codes of Node.js and beginnings of messages, each with its likeliest cause. The first that fits counts. */
const advice: ReadonlyArray<readonly [fits: RegExp, advice: string]> = [
	[/^ECONNREFUSED/v, 'Nothing listens there: is Redis running, and are host and port right?'],
	[/^(?:ENOTFOUND|EAI_AGAIN)/v, 'The host name cannot be resolved: is it right, and is the network up?'],
	[/^(?:ENOENT|ENOTSOCK)/v, 'There is no such socket: is Redis running, and is the path right?'],
	[/^(?:EACCES|EPERM)/v, 'This user may not open the connection: see the rights of the socket'],
	[
		/^(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Connection timeout)/v,
		'The host cannot be reached: is the address right, and does a firewall let it through?',
	],
	[
		/^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE)/v,
		'The certificate is of an authority that Node.js does not know: give it, as in {store: {url, socket: {tls: true, ca}}}, or set NODE_EXTRA_CA_CERTS',
	],
	[/^(?:CERT_|ERR_TLS_CERT_)/v, 'The certificate is not valid for this server: has it expired, and is the host name that of the certificate?'],
	[/^(?:EPROTO|ERR_SSL_|ERR_TLS_)/v, noTls],
	[
		/^(?:ECONNRESET|EPIPE|Socket closed unexpectedly|Redis took the connection)/v,
		'Is a Redis there, and does it expect TLS? Then the URL begins with rediss:',
	],
	[
		/^(?:NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password|ERR Client sent AUTH)/v,
		'Are user and password right? In a URL, redis://user:password@host, escape them with encodeURIComponent()',
	],
	[/^SQLITE_BUSY/v, 'Another program has the file open and writes all the time, or was stopped while it did: see which one (`lsof`)'],
	[/^SQLITE_FULL/v, 'Make room on the disk'],
	[/^SQLITE_(?:IOERR|READONLY)$/v, 'See whether the disk is in order, and may be written'],
	[/^OOM/v, 'Redis is full: raise `maxmemory`, or set `maxmemory-policy allkeys-lfu`, so that it makes room by itself'],
	[
		/^Redis is full/v,
		'Its `maxmemory-policy` is `noeviction`, or lets it evict no key that there is: raise `maxmemory`, or set `maxmemory-policy allkeys-lfu`',
	],
	[/^READONLY/v, 'This Redis is a replica: give the address of its master, or what createSentinel() of node-redis makes'],
	[/^MISCONF/v, 'Redis cannot save to its disk, and so takes no writes: see its log'],
	[/^LOADING/v, 'Redis is reading its data from disk, and is used as soon as it is done'],
	[
		/^(?:CLUSTERDOWN|CROSSSLOT|MOVED|ASK )|^This Redis is a node of a cluster/v,
		'Give what createCluster() of node-redis makes, as in redisCache(createCluster({rootNodes: [{url}]}))',
	],
	[/^ERR (?:DB index|invalid DB)/v, 'Redis has no database of that number: see `databases` in redis.conf'],
	[/^The client of the store was closed/v, 'The client is yours, and the cache does not open it again'],
	[/^The client of the store is in (?:subscriber|monitor) mode/v, 'Give the cache a client of its own, as in {store: client.duplicate()}'],
	[
		/^The client of the store is in a transaction/v,
		'Give the cache a client of its own, as in {store: client.duplicate()}, or let `multi()` send the transaction at once',
	],
	[/^The store did not answer/v, 'Is it overloaded, or far away? The option `timeout` says how long it is waited for'],
];

/** Returns the advice for an error; `undefined` if there is none. */
export const adviceFor = ({code, message}: Failure, store: string): string | undefined => {
	const subjects = [typeof code === 'string' ? code : '', message];

	const ofKind = adviceByKind.entries().find(([kind]) => store.startsWith(`${kind} of `))?.[1] ?? [];

	return [...store.startsWith('rediss:') ? adviceForTls : [], ...ofKind, ...advice].find(([fits]) => subjects.some(subject => fits.test(subject)))?.[1];
};
