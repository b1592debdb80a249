import type {ExchangeReport} from './exchange-report.ts';

/**
The line that `NODE_DEBUG=got-redis-cache` prints for an exchange.

@example `GET https://api.example.com/items 200 miss (not-stored), not stored (private), from the origin, 31.4 ms`
*/
export const debugLine = ({method, url, statusCode, status, reason, notStored, tier, totalMs, isHop, isRefresh, isCollapsed, retryCount, error}: ExchangeReport): string => {
	const parts = [
		`${method} ${url}${statusCode === undefined ? '' : ` ${statusCode}`} ${status} (${reason})`,
		notStored !== undefined && `not stored (${notStored})`,
		tier !== undefined && `from ${tier === 'memory' ? 'memory' : `the ${tier}`}`,
		isHop && 'redirect',
		isRefresh && 'refresh',
		isCollapsed && reason !== 'collapsed' && 'collapsed',
		retryCount > 0 && `retry ${retryCount}`,
		error && `failed (${error.name}: ${error.message.split('\n', 1)[0]})`,
		`${totalMs.toFixed(1)} ms`,
	];

	return parts.filter(part => part !== false && part !== undefined).join(', ');
};
