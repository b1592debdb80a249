/*
A service of many tenants, who must never see each other's data, and of users within them.
*/
import {AsyncLocalStorage} from 'node:async_hooks';
import process from 'node:process';
import got from 'got';
import {redisCache} from 'got-redis-cache';

type Caller = {readonly tenant: string; readonly user: string};

const api = process.env.API_URL ?? 'https://api.example.com';
const caller = new AsyncLocalStorage<Caller>();

const cache = redisCache({
	// Tenants share nothing.
	key: () => caller.getStore()?.tenant ?? '',
	// Responses to requests with a token belong to the user.
	user: ({headers}) => headers.authorization === undefined ? undefined : caller.getStore()?.user,
});
const client = got.extend(cache);

const ask = async (who: Caller, path: string, token?: string): Promise<boolean> => caller.run(who, async () => {
	const {isFromCache} = await client(`${api}/${path}`, {headers: {authorization: token}});

	return isFromCache;
});

const ada = {tenant: 'a', user: 'ada'};
const alan = {tenant: 'a', user: 'alan'};
const bob = {tenant: 'b', user: 'bob'};

// A catalogue is the same for all users of a tenant.
console.log(await ask(ada, 'items'), await ask(alan, 'items'), await ask(bob, 'items'));
//=> false true false

// An account belongs to a user, whatever the token.
console.log(await ask(ada, 'me', 'Bearer 1'), await ask(ada, 'me', 'Bearer 2'), await ask(alan, 'me', 'Bearer 3'));
//=> false true false
