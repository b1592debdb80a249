#!/usr/bin/env node
import process from 'node:process';
import '../node-version.ts';
import {run, tell} from './run.ts';
import {endWithReader} from './terminal/output.ts';

const arguments_ = process.argv.slice(2);
endWithReader(message => {
	tell(message, 'unwritten', arguments_.includes('--json'));
});
process.exitCode = await run(arguments_);
