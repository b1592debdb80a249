import type {WireSettings} from '../api/wire.ts';
import {get} from './api.ts';

let settings: Promise<WireSettings> | undefined;

/** Whether the page can only show. It is asked once. */
export const isReadOnly = async (): Promise<boolean> => {
	settings ??= get<WireSettings>('settings');
	try {
		const {isReadOnly: is} = await settings;
		return is;
	} catch {
		// The handler refuses what it does not allow, whatever the page shows.
		settings = undefined;
		return false;
	}
};
