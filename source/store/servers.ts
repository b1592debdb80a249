import type {Guard, OperationKind} from './guard/guard.ts';
import type {Backend, Server} from './ports/backend.ts';

/**
The servers of a store. Redis is connected first: a cluster then says which masters it has. Resolves to `undefined` if there is no connection.
*/
export const connectedServers = async (backend: Backend, guard: Guard, kind: OperationKind, deadlineMs?: number): Promise<readonly Server[] | undefined> => {
	if (!backend.send) {
		return backend.servers();
	}

	const listed = await guard.attempt(kind, undefined, async () => backend.servers(), {...deadlineMs !== undefined && {deadlineMs}});
	return listed?.result;
};
