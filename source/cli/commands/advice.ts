const noPassword = 'Give the password in the URL, as in --store redis://user:password@host, or better in the environment variable REDIS_URL, which other users of this machine do not see';

const withoutPassword = [/Are user and password right\?.*$/v, noPassword] as const;

/** The advice for programs, in terms of the command line. */
const replacements: ReadonlyArray<readonly [advice: RegExp, replacement: string]> = [
	[/Give what createCluster\(\) of node-redis makes, as in .*$/v, 'Add --cluster'],
	[/: give the address of its master, or what createSentinel\(\) of node-redis makes/v, ': give the address of its master with --store'],
	[/: give it, as in \{store: \{url, socket: \{tls: true, ca\}\}\}, or set NODE_EXTRA_CA_CERTS/v, ': name its file in the environment variable NODE_EXTRA_CA_CERTS'],
	[/The option `timeout` says how long it is waited for/v, '--timeout says how long it is waited for'],
	[/Nothing listens there: is Redis running, and are host and port right\?/v, 'Nothing listens there: start Redis, or give its address with --store or REDIS_URL'],
	[/escape them with encodeURIComponent\(\)/v, 'write special characters as percent escapes, such as %40 for @'],
	[/cluster support disabled.*$/v, 'cluster support disabled. This Redis is no cluster: leave --cluster out'],
	[/\. script: \w+, on @user_script:\d+/v, ''],
	[/^got-redis-cache: /v, ''],
];

/** A message of the library's, for a user of the command line. */
export const toCommandLine = (message: string): string => {
	let told = message;
	for (const [advice, replacement] of [...message.includes('NOAUTH') ? [withoutPassword] : [], ...replacements]) {
		told = told.replace(advice, () => replacement);
	}

	return told;
};
