/**
@type {import('xo').FlatXoConfig}
*/
const config = [
	{
		rules: {
			// A field of a type is documented in one line where one line says it.
			'unicorn/single-line-block-comment-style': 'off',
			// A name and its type need no repetition.
			'jsdoc/require-param': 'off',
			'jsdoc/check-param-names': 'off',
			'jsdoc/require-description': 'off',
			// The RFCs, got and Node write `req`, `env`, `args` and `dist` for a reason.
			'unicorn/name-replacements': 'off',
			// A condition is named as the RFC words it: `mayStandIn`, `forbidsStale`.
			'unicorn/consistent-boolean-name': 'off',
			// A message stays in one piece, so that it can be searched for.
			'@stylistic/max-len': ['warn', {code: 200, ignoreComments: true, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true}],
			// Guard clauses stay guard clauses.
			'unicorn/prefer-ternary': 'off',
			// This module checks the version of Node.js before anything else is loaded.
			'import-x/no-unassigned-import': ['error', {allow: ['**/node-version.ts']}],
			// Got and Keyv emit Node's events.
			'unicorn/prefer-event-target': 'off',
			'@stylistic/object-curly-newline': 'off',
			// Got's promises have methods, and its handlers hand streams on: an async function would lose them.
			'@typescript-eslint/promise-function-async': 'off',
			'@typescript-eslint/strict-boolean-expressions': 'off',
		},
	},
	{
		files: ['test/**', 'benchmarks/**', 'demo/**', 'examples/**'],
		rules: {
			// `node:test` awaits what it registers.
			'@typescript-eslint/no-floating-promises': 'off',
			// The origins of tests are on loopback.
			'unicorn/prefer-https': 'off',
			'node-test/no-duplicate-assertions': 'off',
			// Files below `test/` that do not end with `.test.ts` are helpers.
			'node-test/no-import-test-files': 'off',
			// Rows of a table are asserted in a loop, one after the other.
			'node-test/no-conditional-assertion': 'off',
			// One way to assert, in tests and their helpers alike.
			'node-test/prefer-test-context-assert': 'off',
			'@typescript-eslint/no-confusing-void-expression': 'off',
			'@typescript-eslint/no-unsafe-member-access': 'off',
			'no-await-in-loop': 'off',
			'unicorn/no-await-expression-member': 'off',
			'unicorn/no-break-in-nested-loop': 'off',
			'unicorn/no-return-array-push': 'off',
			'unicorn/max-nested-calls': 'off',
			'@typescript-eslint/naming-convention': 'off',
			'@typescript-eslint/strict-void-return': 'off',
		},
	},
	{
		// NestJS has functions with upper-case names, its decorators, and needs a module that has no exports.
		files: ['examples/nestjs.ts'],
		rules: {
			'new-cap': 'off',
			'import-x/no-unassigned-import': ['error', {allow: ['reflect-metadata']}],
		},
	},
	{
		// Tests too, that others run.
		files: ['source/acceptance/**'],
		rules: {
			'no-await-in-loop': 'off',
			'unicorn/prefer-https': 'off',
			'unicorn/no-await-expression-member': 'off',
		},
	},
	{
		// Elements that stand in one another are made by calls that do.
		files: ['source/inspector/page/**/*.ts'],
		rules: {
			'unicorn/max-nested-calls': 'off',
		},
	},
	{
		// It is found by no search engine, and shared on no social network.
		files: ['source/inspector/page/*.html'],
		rules: {
			'@html-eslint/require-meta-description': 'off',
			'@html-eslint/require-open-graph-protocol': 'off',
		},
	},
	{
		files: ['package.json'],
		rules: {
			// A development dependency of ours would bring npm 6 along.
			'package-json/no-overrides-in-published-package': 'off',
		},
	},
	{
		// A package that takes the place of another one.
		files: ['test/helpers/*/package.json'],
		rules: {
			'package-json/no-nested-exports': 'off',
		},
	},
];

export default config;
