import assert from 'node:assert/strict';
import {existsSync, globSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const pages = ['readme.md', 'changelog.md', 'contributing.md', 'benchmarks/results.md', ...globSync('docs/**/*.md', {cwd: root})];

/** What is in the package, beside `package.json` and what is built. */
const {files} = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {readonly files: readonly string[]};
const matches = (file: string, pattern: string): boolean => path.matchesGlob(file, pattern) || file.startsWith(`${pattern}/`);
const isLeftOut = (file: string): boolean => files.some(pattern => pattern.startsWith('!') && matches(file, pattern.slice(1)));
const isShipped = (file: string): boolean => ['license', 'readme.md'].includes(file) || (files.some(pattern => matches(file, pattern)) && !isLeftOut(file));

/** As GitHub names the anchor of a heading. */
const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(/[^\s\p{Letter}\p{Number}\-_]/gv, '').replaceAll(' ', '-');

const anchorsOf = async (page: string): Promise<string[]> => {
	const text = await readFile(path.join(root, page), 'utf8');
	const outsideCode = text.replaceAll(/^```.+?^```$/gmsv, '');
	return outsideCode.matchAll(/^#+ (?<heading>.+)$/gmv).map(({groups}) => anchorOf(groups?.heading ?? '')).toArray();
};

for (const page of pages) {
	test(`${page} links to what is there`, async () => {
		const text = await readFile(path.join(root, page), 'utf8');
		const links = text.matchAll(/\]\((?<link>(?!https?:)[^\)]+)\)/gv).map(({groups}) => groups?.link ?? '').toArray();
		for (const link of links) {
			const [file = '', anchor] = link.split('#', 2);
			const target = file === '' ? page : path.join(path.dirname(page), file);
			assert.ok(existsSync(path.join(root, target)), `${link} is not there`);
			assert.ok(isShipped(target) || (target.endsWith('.png') && text.includes('in the repository, not in the package')), `${link} is not in the package`);
			if (anchor !== undefined) {
				assert.ok((await anchorsOf(target)).includes(anchor), `${link} names no heading`);
			}
		}
	});
}
