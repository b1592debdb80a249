import type {IncomingMessage} from 'node:http';

/**
Takes the `Set-Cookie` fields away: got would put them into its cookie jar, which has had them, and may have had others since.
*/
export const hideCookies = ({headers}: IncomingMessage): string[] | undefined => {
	const cookies = headers['set-cookie'];
	if (cookies) {
		delete headers['set-cookie'];
	}

	return cookies;
};

export const showCookies = (response: Pick<IncomingMessage, 'headers'> | undefined, cookies: string[] | undefined): void => {
	if (response && cookies) {
		response.headers['set-cookie'] = cookies;
	}
};
