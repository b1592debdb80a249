import type {Attributes} from '@opentelemetry/api';
import {createBounded, maxOrigins, originOf} from '../observe/bounded.ts';

/*
The names are those of OpenTelemetry's semantic conventions for HTTP where there is one, and begin with `cache.` otherwise.
*/

/** The value for everything that would make too many time series, as the semantic conventions have it. */
export const other = '_OTHER';

const schemePorts: Readonly<Record<string, number>> = {http: 80, https: 443};

/** The attributes of an origin. */
export const serverOf = (origin: string): Attributes => {
	const url = URL.parse(origin);
	if (!url) {
		return {};
	}

	const scheme = url.protocol.slice(0, -1);
	const port = url.port === '' ? schemePorts[scheme] : Number(url.port);

	return {'url.scheme': scheme, 'server.address': url.hostname, ...(port !== undefined && {'server.port': port})};
};

/** Makes a function that returns the attributes of a URL's origin: of the first 64, and `_OTHER` for all others. */
export const createServers = (): ((url: string) => Attributes) => {
	const ofOrigin = createBounded(maxOrigins, origin => origin === undefined ? {'server.address': other} : serverOf(origin));

	return url => ofOrigin(originOf(url));
};

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

export const methodOf = (method: string): string => methods.has(method) ? method : other;
