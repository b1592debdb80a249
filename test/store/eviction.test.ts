import assert from 'node:assert/strict';
import test from 'node:test';
import {readEviction, whyNotLasting} from '../../source/store/backends/eviction.ts';

const policies = ['noeviction', 'allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl'];

const warned = (maxBytes: number, expires: boolean) => policies.filter(policy => whyNotLasting({maxBytes, policy}, expires) !== undefined);

test('a Redis without a bound is warned of if nothing expires', () => {
	assert.deepEqual(warned(0, true), []);
	assert.deepEqual(warned(0, false), policies);
	assert.match(whyNotLasting({maxBytes: 0, policy: 'noeviction'}, false) ?? '', /`ttl: false`.*Set `maxmemory`/v);
});

test('a Redis with a bound is warned of if it removes nothing of the cache when it is full', () => {
	assert.deepEqual(warned(1, true), ['noeviction']);
	assert.deepEqual(warned(1, false), ['noeviction', 'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl']);
	assert.match(whyNotLasting({maxBytes: 1, policy: 'noeviction'}, true) ?? '', /`maxmemory-policy noeviction`.*Set `maxmemory-policy allkeys-lfu`/v);
	assert.match(whyNotLasting({maxBytes: 1, policy: 'volatile-lru'}, false) ?? '', /only keys with a TTL/v);
});

test('a server that tells no policy is not warned of', () => {
	assert.equal(readEviction('# Memory\r\nused_memory:1\r\n'), undefined);
	assert.equal(readEviction(''), undefined);
	assert.deepEqual(readEviction('used_memory:1\r\nmaxmemory:1048576\r\nmaxmemory_human:1.00M\r\nmaxmemory_policy:allkeys-lru\r\n'), {maxBytes: 1_048_576, policy: 'allkeys-lru'});
});
