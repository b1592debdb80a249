#!/usr/bin/env node
import process from 'node:process';
import '../node-version.ts';
import {run} from './run.ts';
import {endWithReader} from './terminal/output.ts';

endWithReader();
process.exitCode = await run(process.argv.slice(2));
