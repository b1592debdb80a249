import {Buffer} from 'node:buffer';
import {readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import {compareText} from '../fixtures/compare.ts';
import {fileNameOf} from '../fixtures/file-name.ts';
import {FileError} from '../fixtures/json-file.ts';
import {readFileIfAny, writeFileAtomically} from '../fixtures/write-file.ts';
import {contentKey, type DescribedRequest} from './described-request.ts';
import {findNearest} from './differences.ts';
import {fieldsToWrite, isSameRequest} from './matching.ts';
import type {ReplaySettings} from './options.ts';
import {toRecordedResponse, type ReceivedResponse, type ResponseToWrite} from './recorded-answer.ts';
import {parseRecording, writeRecording, type RecordedRequest, type Recording} from './recording.ts';
import {UnrecordedRequestError} from './unrecorded-error.ts';

/*
The recordings of a folder. All is read and written synchronously: a recording is there before the caller has the end of the response, also if the process ends then.
*/

/** A response that was recorded since the folder was opened. */
type NewContent = ResponseToWrite & {
	/** How often it was received again, after it was written. */
	repeats: number;
};

type Entry = Recording & {
	isUsed: boolean;
	readonly isNew: boolean;
};

export type Library = {
	/**
	Reads the folder, if that has not happened yet.

	@throws {FileError} If a file of the folder is no recording.
	*/
	open(): void;

	/**
	The next recording of a request; the last one again after the last. `undefined` if there is none.

	@param isIncomplete - Whether recordings that were made since the folder was opened do not count: the network has the next one.
	@throws {FileError} If a file of the folder is no recording.
	*/
	take(request: DescribedRequest, isIncomplete: boolean): Recording | undefined;

	/** The error for a request that has no recording. */
	unrecorded(request: DescribedRequest): UnrecordedRequestError;

	/** Writes a response. */
	add(request: DescribedRequest, response: ReceivedResponse): void;

	/** The recordings that answered nothing since the folder was opened. */
	unused(): readonly Recording[];

	/** Removes files of recordings. */
	remove(recordings: readonly Recording[]): void;
};

const bodyMark = '.body.';

/** The place of a file in a sequence of the same request: the second one has `.2` before its ending. */
const placeOf = (file: string): readonly [stem: string, ordinal: number] => {
	const {stem = file, ordinal} = /^(?<stem>.*?)(?:\.(?<ordinal>\d+))?\.json$/sv.exec(file)?.groups ?? {};
	return [stem, Number(ordinal ?? 1)];
};

const bySequence = (one: Recording, other: Recording): number => {
	const [[stem, ordinal], [otherStem, otherOrdinal]] = [placeOf(one.file), placeOf(other.file)];
	return compareText(stem, otherStem) || ordinal - otherOrdinal;
};

const namesIn = (folder: string): string[] => {
	try {
		return readdirSync(folder);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return [];
		}

		throw new FileError(folder, `the folder of recordings can't be read: ${(error as Error).message}`, {cause: error});
	}
};

const isSameResponse = (one: ResponseToWrite, other: ResponseToWrite): boolean => JSON.stringify(one.response) === JSON.stringify(other.response)
	&& Buffer.from(one.file?.content ?? []).equals(Buffer.from(other.file?.content ?? []));

const bodyFileOf = ({file, answer}: Recording): string | undefined =>
	answer.kind === 'response' && answer.response.body !== undefined ? path.join(path.dirname(file), answer.response.body) : undefined;

export const createLibrary = ({folder, matching}: ReplaySettings): Library => {
	let opened: Entry[] | undefined;
	const contents = new WeakMap<Recording, NewContent>();

	const read = (): Entry[] => namesIn(folder)
		.filter(name => !name.includes(bodyMark) && name.endsWith('.json'))
		.flatMap(name => {
			const file = path.join(folder, name);
			const content = readFileIfAny(file);
			return content ? [{...parseRecording(file, content, matching), isUsed: false, isNew: false}] : [];
		})
		.toSorted((one, other) => bySequence(one, other));

	const entries = (): Entry[] => {
		opened ??= read();
		return opened;
	};

	const sameAs = (request: DescribedRequest): Entry[] => entries().filter(entry => isSameRequest(request, entry.request, matching));

	const identityOf = ({method, url, fields, content}: RecordedRequest): string => JSON.stringify([method, url, contentKey(content, matching), fields]);

	/** The file of the next recording of a sequence. */
	const nextFile = (request: RecordedRequest, sequence: readonly Entry[]): string => {
		const last = sequence.at(-1);
		if (last) {
			const [stem, ordinal] = placeOf(last.file);
			return `${stem}.${ordinal + 1}.json`;
		}

		const identity = identityOf(request);
		const isOther = (file: string) => entries().some(entry => entry.file === file && identityOf(entry.request) !== identity);
		const short = path.join(folder, `${fileNameOf(request, identity)}.json`);
		return isOther(short) ? path.join(folder, `${fileNameOf(request, identity, true)}.json`) : short;
	};

	const removeFiles = (recordings: readonly Recording[], keptFiles: ReadonlySet<string>) => {
		for (const recording of recordings) {
			for (const file of [recording.file, bodyFileOf(recording)]) {
				if (file !== undefined && !keptFiles.has(file)) {
					rmSync(file, {force: true});
				}
			}
		}

		const removed = new Set(recordings);
		opened = entries().filter(entry => !removed.has(entry));
	};

	const write = (request: RecordedRequest, content: ResponseToWrite, file: string): Entry => {
		const bodyName = content.file && `${path.basename(file, '.json')}${bodyMark}${content.file.ending.slice(1)}`;
		const response = {...content.response, body: bodyName};
		// The body first: a recording never names a file that is not there.
		if (bodyName !== undefined && content.file) {
			writeFileAtomically(path.join(folder, bodyName), content.file.content);
		}

		writeFileAtomically(file, writeRecording(request, response));
		const entry: Entry = {file, request, answer: {kind: 'response', response}, isUsed: true, isNew: true};
		contents.set(entry, {...content, repeats: 0});
		return entry;
	};

	return {
		open() {
			entries();
		},
		take(request, isIncomplete) {
			const sequence = sameAs(request);
			if (isIncomplete && sequence.some(({isNew}) => isNew)) {
				return undefined;
			}

			const entry = sequence.find(({isUsed}) => !isUsed) ?? sequence.at(-1);
			if (entry) {
				entry.isUsed = true;
			}

			return entry;
		},
		unrecorded: request => new UnrecordedRequestError(request, folder, findNearest(request, entries(), matching)),
		add(request, received) {
			const content = toRecordedResponse(request.method, received, matching, Date.now());
			const {method, url, content: requestContent} = request;
			const recorded: RecordedRequest = {method, url, content: requestContent, fields: fieldsToWrite(request, String(content.response.headers.vary ?? ''), matching)};
			const former = sameAs(request);
			const sequence = former.filter(({isNew}) => isNew);
			const last = sequence.at(-1);
			const lastContent = last && contents.get(last);
			if (lastContent && isSameResponse(lastContent, content)) {
				// Replayed, the last one is repeated anyway. It is written as often as it came once another one follows.
				lastContent.repeats++;
				return;
			}

			if (lastContent) {
				const {repeats} = lastContent;
				lastContent.repeats = 0;
				for (let repeat = 0; repeat < repeats; repeat++) {
					sequence.push(write(recorded, lastContent, nextFile(recorded, sequence)));
				}
			}

			const entry = write(recorded, content, nextFile(recorded, sequence));
			const old = former.filter(({isNew}) => !isNew);
			const written = [...sequence, entry];
			removeFiles(old, new Set(written.flatMap(each => [each.file, bodyFileOf(each) ?? ''])));
			opened = [...entries().filter(each => !written.includes(each)), ...written];
		},
		unused: () => entries().filter(({isUsed}) => !isUsed),
		remove(recordings) {
			removeFiles(recordings, new Set());
		},
	};
};
