import './node-version.ts';

export {purgeHandler, type PurgeHandler, type PurgeHandlerOptions} from './webhook/purge-handler.ts';
