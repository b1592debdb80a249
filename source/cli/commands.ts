import {explain} from './commands/explain.ts';
import {inspect} from './commands/inspect.ts';
import {listSwitches} from './commands/list-switches.ts';
import {ls} from './commands/ls.ts';
import {purge} from './commands/purge.ts';
import {show} from './commands/show.ts';
import {switchCommands} from './commands/switches.ts';
import type {Command} from './commands/command.ts';
import {createCompletion} from './completion/completion.ts';
import {doctor} from './doctor/doctor.ts';
import {globalOptions} from './global-options.ts';
import {stats} from './statistics/stats.ts';
import {top} from './statistics/top.ts';
import {exportCommand} from './transfer/export.ts';
import {importCommand} from './transfer/import.ts';
import {warm} from './warm/warm.ts';

const ofCache: readonly Command[] = [ls, show, explain, purge, ...switchCommands, listSwitches, inspect, stats, top, warm, exportCommand, importCommand, doctor];

/** All commands, in the order of help. */
export const commands: readonly Command[] = [...ofCache, createCompletion(ofCache, globalOptions)];
