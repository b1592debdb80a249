/**
The suite's own server, in a process of its own: `node origin.ts <server file>` tells its parent the port.
*/
import {Server, type AddressInfo} from 'node:net';
import {devNull} from 'node:os';
import process from 'node:process';
import {pathToFileURL} from 'node:url';

const [serverFile] = process.argv.slice(2);

Object.assign(process.env, {
	npm_config_protocol: 'http',
	npm_config_port: '0',
	npm_config_pidfile: devNull,
});

// It would listen on every interface.
const {listen} = Server.prototype;
Server.prototype.listen = function (this: Server) {
	this.once('listening', () => {
		process.send?.((this.address() as AddressInfo).port);
	});
	return listen.call(this, {port: 0, host: '127.0.0.1'});
} as typeof listen;

process.once('disconnect', () => {
	process.exit();
});

await import(pathToFileURL(serverFile!).href);
