'use strict';

/*
Packages that take long to load, for the stores that need them. CommonJS, because only `require()` loads a package where it stands, without a promise, and is seen by bundlers, too.
*/

exports.nodeRedis = () => require('@redis/client');
exports.keyvRedis = () => require('@keyv/redis').default;
