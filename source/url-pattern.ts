/**
Matches without a regular expression, so that no pattern can be slow: each `*` takes the nearest place where what follows it fits.
*/
const matchesGlob = (glob: string, text: string, isPrefix: boolean): boolean => {
	const [first = '', ...rest] = glob.split('*');
	if (!text.startsWith(first)) {
		return false;
	}

	const last = isPrefix ? undefined : rest.pop();
	let position = first.length;
	for (const part of rest) {
		const found = text.indexOf(part, position);
		if (found === -1) {
			return false;
		}

		position = found + part.length;
	}

	if (isPrefix) {
		return true;
	}

	return last === undefined ? position === text.length : text.length - last.length >= position && text.endsWith(last);
};

/**
@param pattern - A regular expression for the whole URL, or `[scheme://]host[:port][/path]`, where a host without a port stands for every port of it, the path is the beginning of the URL's and `*` stands for any characters, in the host for any but `/`.
@param url - An absolute URL.
*/
export const matchesUrlPattern = (pattern: string | RegExp, url: string): boolean => {
	if (typeof pattern !== 'string') {
		pattern.lastIndex = 0;
		return pattern.test(url);
	}

	const schemeEnd = pattern.indexOf('://');
	const scheme = schemeEnd === -1 ? undefined : pattern.slice(0, schemeEnd + 1).toLowerCase();
	const location = schemeEnd === -1 ? pattern : pattern.slice(schemeEnd + 3);
	const pathStart = location.includes('/') ? location.indexOf('/') : location.length;
	const hostGlob = location.slice(0, pathStart).toLowerCase();
	const {protocol, port, hostname, pathname, search} = new URL(url);
	// A URL does not say the port that is its scheme's own.
	const portOfScheme = protocol === 'https:' ? '443' : '80';

	return (scheme === undefined || scheme === protocol)
		&& (matchesGlob(hostGlob, `${hostname}:${port || portOfScheme}`, false) || matchesGlob(hostGlob, hostname, false))
		&& matchesGlob(location.slice(pathStart), pathname + search, true);
};
