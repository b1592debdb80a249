'use strict';

/*
Packages that few requests or stores need, and that take long to load. CommonJS, because only `require()` loads a package where it stands, without a promise, and is seen by bundlers, too.
*/

exports.nodeRedis = () => require('@redis/client');
exports.keyvRedis = () => require('@keyv/redis').default;
exports.clusterSlots = () => require('cluster-key-slot');
exports.durations = () => require('ms');
exports.structuredFields = () => require('structured-headers');
