import type {Command} from '../commands/command.ts';

export const doctor: Command = {
	name: 'doctor',
	summary: 'check the connection, the server, permissions and settings',
	usage: '[options]',
	arguments: [0, 0],
	options: {},
	details: 'Each line has a verdict and, unless all is well, what to do. Commands are tried on a key of the doctor\'s own, which it removes.',
	examples: [
		['the Redis on this machine', 'got-redis-cache doctor'],
		['another one, for a monitor', 'got-redis-cache doctor --store rediss://cache.example.com --json'],
	],
	async run(context) {
		const {run} = await import('./diagnosis.ts');
		return run(context);
	},
};
