import {ls} from './commands/ls.ts';
import {purge} from './commands/purge.ts';
import {show} from './commands/show.ts';
import type {Command} from './commands/command.ts';
import {doctor} from './doctor/doctor.ts';
import {exportCommand} from './transfer/export.ts';
import {importCommand} from './transfer/import.ts';

/** All commands, in the order of help. */
export const commands: readonly Command[] = [ls, show, purge, exportCommand, importCommand, doctor];
