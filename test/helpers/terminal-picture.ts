import {stripVTControlCharacters} from 'node:util';

/*
Draws the output of a program, with its colours, as SVG.
*/

const fontSize = 13;
const lineHeight = 19;
const characterWidth = fontSize * 0.602;
const padding = 20;
const titleHeight = 36;

/** SGR parameters to the classes of the style sheet; those that switch a style off are left out. */
const classes: Readonly<Record<string, string>> = {
	1: 'bold',
	2: 'dim',
	31: 'red',
	32: 'green',
	33: 'yellow',
	35: 'magenta',
	36: 'cyan',
};

const style = `
	.window { fill: #ffffff; stroke: #d1d9e0; }
	.dots { fill: #d1d9e0; }
	text { fill: #1f2328; font: ${fontSize}px ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; white-space: pre; }
	.bold { font-weight: 600; }
	.dim { fill: #818b98; }
	.red { fill: #d1242f; }
	.green { fill: #1a7f37; }
	.yellow { fill: #9a6700; }
	rect.yellow { fill: #d4a72c; }
	.magenta { fill: #8250df; }
	.cyan { fill: #0969da; }
	@media (prefers-color-scheme: dark) {
		.window { fill: #0d1117; stroke: #3d444d; }
		.dots { fill: #3d444d; }
		text { fill: #f0f6fc; }
		.dim { fill: #7d8590; }
		.red { fill: #f85149; }
		.green { fill: #3fb950; }
		.yellow, rect.yellow { fill: #d29922; }
		.magenta { fill: #ab7df8; }
		.cyan { fill: #4493f8; }
	}
`;

const number = (value: number): string => String(Math.round(value * 100) / 100);

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Block characters leave gaps in many fonts: the bars are drawn. */
const drawBar = (blocks: string, column: number, line: number, className: string): string => {
	const eighths = [...blocks].reduce((sum, block) => sum + 8 - ('█▉▊▋▌▍▎▏'.indexOf(block)), 0);
	const [x, y] = [padding + (column * characterWidth), titleHeight + padding + ((line - 0.72) * lineHeight)];
	return `<rect class="${className}" x="${number(x)}" y="${number(y)}" width="${number(eighths / 8 * characterWidth)}" height="${number(lineHeight * 0.62)}" rx="2"/>`;
};

/** Text with its place and width, so that columns are straight in every font. */
const drawText = (text: string, column: number, line: number, className: string): string => {
	const trimmed = text.trim();
	const x = padding + ((column + text.indexOf(trimmed)) * characterWidth);
	const y = titleHeight + padding + ((line - 0.28) * lineHeight);
	const attributes = className === '' ? '' : `class="${className}" `;
	return `<text ${attributes}x="${number(x)}" y="${number(y)}" textLength="${number(trimmed.length * characterWidth)}">${escape(trimmed)}</text>`;
};

const drawLine = (output: string, line: number): string[] => {
	const shapes: string[] = [];
	let column = 0;

	// Each part begins with the parameters of the escape sequence before it, such as `32m`.
	for (const part of `\u{1B}[0m${output}`.split('\u{1B}[').slice(1)) {
		const end = part.indexOf('m');
		const className = part.slice(0, end).split(';').flatMap(parameter => classes[parameter] ?? []).join(' ');

		for (const {groups} of part.slice(end + 1).matchAll(/(?<blocks>[█▉▊▋▌▍▎▏]+)|(?<space> {2,}|^ )|(?<text>(?:(?! {2}|[█▉▊▋▌▍▎▏]).)+)/gv)) {
			const {blocks = '', space = '', text = ''} = groups ?? {};
			if (blocks !== '') {
				shapes.push(drawBar(blocks, column, line, className));
			} else if (text !== '') {
				shapes.push(drawText(text, column, line, className));
			}

			column += [...blocks, ...space, ...text].length;
		}
	}

	return shapes;
};

/**
@param output - The program's output, with escape sequences for colours.
@param command - The command, which the title has.
*/
export const drawTerminal = (output: string, command: string): string => {
	const lines = output.trimEnd().split('\n');
	const columns = Math.max(...lines.map(line => stripVTControlCharacters(line).length));
	const width = Math.ceil((columns * characterWidth) + (2 * padding));
	const height = titleHeight + (lines.length * lineHeight) + (2 * padding);

	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Output of ${escape(command)}">
<style>${style}</style>
<rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>
<g class="dots">${[0, 1, 2].map(index => `<circle cx="${padding + 6 + (index * 20)}" cy="24" r="6"/>`).join('')}</g>
<text class="dim" x="${padding + 76}" y="28.5">${escape(command)}</text>
${lines.flatMap((line, index) => drawLine(line, index + 1)).join('\n')}
</svg>
`;
};
