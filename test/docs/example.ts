import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** An example that uses the source in place of the package. */
export const withSource = (code: string): string =>
	code.replaceAll(/'got-redis-cache(?:\/(?<entry>[\w\-]+))?'/gv, (_name, entry?: string) =>
		JSON.stringify(path.join(root, entry === undefined ? 'test/docs/example-entry.ts' : `source/${entry}.ts`)),
	);

/** A whole program that uses the source, and prints each value as `inspect()` shows it. */
export const exampleCode = (code: string): string =>
	`import {inspect as inspectValue} from 'node:util';\nconst print = (...values: unknown[]) => console.log(values.map(value => inspectValue(value)).join(' '));\n${withSource(code).replaceAll('console.log(', 'print(')}`;

/** The lines that an example's comments say it prints. */
export const expectedOutput = (code: string): string[] => code.matchAll(/^\/\/=> (?<value>.+)$/gmv).map(({groups}) => groups?.value ?? '').toArray();
