import process from 'node:process';

/*
Imported before anything else, so that an older Node.js is told what is needed, and not what it lacks somewhere within.
*/

const oldest = 22;

if (Number(process.versions.node.split('.', 1)[0]) < oldest) {
	throw new Error(`got-redis-cache needs Node.js ${oldest} or later, and this is Node.js ${process.versions.node}`);
}
