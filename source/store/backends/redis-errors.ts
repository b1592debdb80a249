import {isErrorReply} from '../ports/error-reply.ts';

/** At the beginning of a reply, or behind where Redis 6 says which script it comes from. OOM, READONLY, MISCONF, LOADING, CLUSTERDOWN and NOPERM are none of these. */
const argumentError = /(?:^|: )(?:WRONGTYPE|CROSSSLOT|ERR (?:value is not |invalid expire time|syntax error|wrong number of arguments|offset is out of range|string exceeds maximum))/v;

/** Whether Redis refused what it was asked to do, and would not refuse another command. */
export const isArgumentError = (error: unknown): boolean => isErrorReply(error) && argumentError.test(error.message);

/** Whether Redis takes no more, also from within a script. */
export const isFull = (error: unknown): boolean => isErrorReply(error) && error.message.includes('OOM command not allowed');

/** Whether a key holds a value of another type. */
export const isForeignValue = (error: unknown): boolean => isErrorReply(error) && error.message.startsWith('WRONGTYPE');
