import type * as NodeRedis from '@redis/client';
import type KeyvRedis from '@keyv/redis' with {'resolution-mode': 'import'};

/** The package `@redis/client`; the same instance as for who imports it. */
export declare const nodeRedis: () => typeof NodeRedis;

/** The class of `@keyv/redis`; not the one of who imports it, which is another file of that package. */
export declare const keyvRedis: () => typeof KeyvRedis;
