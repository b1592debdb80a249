import type * as NodeRedis from '@redis/client';
import type KeyvRedis from '@keyv/redis' with {'resolution-mode': 'import'};
import type calculateSlot from 'cluster-key-slot';
import type parse from 'ms';
import type * as StructuredHeaders from 'structured-headers' with {'resolution-mode': 'import'};

/** The package `@redis/client`; the same instance as for who imports it. */
export declare const nodeRedis: () => typeof NodeRedis;

/** The class of `@keyv/redis`; not the one of who imports it, which is another file of that package. */
export declare const keyvRedis: () => typeof KeyvRedis;

/** The package `cluster-key-slot`. */
export declare const clusterSlots: () => typeof calculateSlot;

/** The package `ms`. */
export declare const durations: () => typeof parse;

/** The package `structured-headers`; its classes are not those of who imports it. */
export declare const structuredFields: () => typeof StructuredHeaders;
