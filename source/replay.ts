import './node-version.ts';
import {resolveReplayOptions, type ReplayOptions} from './replay/options.ts';
import {Recorder} from './replay/recorder.ts';

export {FileError} from './fixtures/json-file.ts';
export {replayForTest, type TestOfRunner} from './replay/recorder-for-tests.ts';
export {UnrecordedRequestError} from './replay/unrecorded-error.ts';
export type {ReplayMode, ReplayOptions} from './replay/options.ts';
export type {Recorder, RecordingInfo} from './replay/recorder.ts';

/**
Records the responses of a got instance in a folder, and answers the same requests from there: for tests without a network. Every method and status is recorded, whatever HTTP says of caching. A recording is a JSON file, with the body beside it, that a person can read, review and edit.

The recorder stands in for the network: with `redisCache()` on the same instance, the cache asks it in place of the origin.

@param options - The `folder`, the `mode`, and the parts of a request that distinguish recordings.
@returns A recorder for `got.extend()`. In the mode `'replay'`, a request without a recording fails with an `UnrecordedRequestError`, the `cause` of got's `RequestError`.
@throws {TypeError} If an option is missing, unknown, of the wrong type, or contradicts another.

@example
```
import got from 'got';
import {replay} from 'got-redis-cache/replay';

const client = got.extend(replay({folder: 'test/fixtures', mode: 'auto'}));
```
*/
export const replay = (options: ReplayOptions): Recorder => new Recorder(resolveReplayOptions(options));
