/**
@type {import('xo').FlatXoConfig}
*/
const config = [
	{
		rules: {
			// A field of a type is documented in one line where one line says it.
			'unicorn/single-line-block-comment-style': 'off',
			// The RFCs, got and Node write `req`, `env`, `args` and `dist` for a reason.
			'unicorn/name-replacements': 'off',
		},
	},
	{
		files: ['package.json'],
		rules: {
			// A development dependency of ours would bring npm 6 along.
			'package-json/no-overrides-in-published-package': 'off',
		},
	},
];

export default config;
