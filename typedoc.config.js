import {readFileSync} from 'node:fs';
import path from 'node:path';
import {Converter, ReflectionKind} from 'typedoc';

/*
`npm run docs` builds the site: the readme, the guide in the order of docs/readme.md, and the reference from the docstrings of what each entry exports. A link to what is not there is an error, and so is an export, a property or a method without a docstring. `npm run docs:check` checks the docstrings alone.
*/

const {exports: entries} = JSON.parse(readFileSync('package.json', 'utf8'));
const contents = readFileSync('docs/readme.md', 'utf8');
/** The heading in docs/readme.md that each page stands under. */
const groupOfPage = new Map(contents.split(/^## /mv).slice(1).flatMap(section => {
	const [heading] = section.split('\n', 1);
	return section.matchAll(/\]\((?<page>[\w\-\/]+\.md)\)/gv).map(({groups}) => [path.join('docs', groups.page), heading]).toArray();
}));

const pages = contents.matchAll(/\]\((?<page>[\w\-\/]+\.md)\)/gv).map(({groups}) => path.join('docs', groups.page)).toArray();

const titleOf = file => /^# (?<title>.+)$/mv.exec(readFileSync(file, 'utf8'))?.groups.title;

/** Names each page by its heading, not by its file, and groups the pages as the table of contents does. */
const nameByHeading = application => {
	application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({project}) => {
		const files = new Map([...pages, 'changelog.md'].map(file => [file.replace(/\.md$/v, ''), file]));
		for (const document of project.getReflectionsByKind(ReflectionKind.Document)) {
			const file = files.get(document.name);
			document.name = (file && titleOf(file)) ?? document.name;
			document.frontmatter.group = groupOfPage.get(file) ?? 'Releases';
		}
	});
};

const options = {
	name: 'got-redis-cache',
	entryPoints: Object.keys(entries).map(entry => `source/${entry === '.' ? 'index' : entry.slice(2)}.ts`),
	tsconfig: 'tsconfig.build.json',
	out: 'site',
	readme: 'readme.md',
	projectDocuments: [...pages, 'changelog.md'],
	plugin: [nameByHeading],
	customCss: 'typedoc.css',
	favicon: 'source/inspector/page/icon.svg',
	groupOrder: [...new Set(groupOfPage.values()), 'Releases', '*'],
	navigation: {includeGroups: true},
	sort: ['kind', 'alphabetical-ignoring-documents'],
	excludePrivate: true,
	excludeInternal: true,
	disableSources: true,
	includeVersion: true,
	searchInDocuments: true,
	highlightLanguages: ['bash', 'console', 'css', 'html', 'javascript', 'json', 'jsonc', 'python', 'tsx', 'typescript', 'yaml'],
	validation: {notExported: false, invalidLink: true, notDocumented: true},
	requiredToBeDocumented: ['Class', 'Interface', 'Function', 'Variable', 'TypeAlias', 'Enum', 'Method', 'Property', 'Accessor'],
	treatWarningsAsErrors: true,
};

export default options;
