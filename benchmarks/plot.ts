import {usualConcurrency} from './plan.ts';
import {figures, type Figure, type Results} from './results.ts';
import {cellTitle, type Cell} from './scenarios.ts';
import {median} from './statistics.ts';

/*
Plots for the readme: plain SVG on a white ground, legible in light and dark.
*/

export type Plot = {readonly file: string; readonly title: string; readonly svg: string};

const colours = {
	ours: '#d6336c', peer: '#4c6ef5', floor: '#adb5bd', text: '#212529', faint: '#868e96', line: '#dee2e6',
} as const;

const escape = (text: string): string => text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const whole = (value: number): string => value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en');

const kindOf = (id: string): 'ours' | 'peer' | 'floor' => {
	if (id.startsWith('ours')) {
		return 'ours';
	}

	return id.startsWith('floor') ? 'floor' : 'peer';
};

const document = (width: number, height: number, title: string, content: readonly string[]): string => `${[
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}" font-family="system-ui, sans-serif" font-size="13" fill="${colours.text}">`,
	`<rect width="${width}" height="${height}" rx="6" fill="#fff"/>`,
	`<text x="16" y="28" font-size="16" font-weight="600">${escape(title)}</text>`,
	...content,
	'</svg>',
].join('\n')}\n`;

type Bar = {readonly id: string; readonly name: string; readonly values: readonly number[]};

const barPlot = (title: string, bars: readonly Bar[]): string => {
	const left = 290;
	const barSpace = 370;
	const rowHeight = 24;
	const top = 48;
	const greatest = Math.max(...bars.flatMap(({values}) => values));
	const x = (value: number): string => (left + (value / greatest * barSpace)).toFixed(1);

	return document(760, top + (bars.length * rowHeight) + 16, title, bars.flatMap(({id, name, values}, index) => {
		const y = top + (index * rowHeight);
		const middle = median(values);
		const least = x(Math.min(...values));
		const most = x(Math.max(...values));
		return [
			`<text x="${left - 10}" y="${y + 14}" text-anchor="end">${escape(name)}</text>`,
			`<rect x="${left}" y="${y + 2}" width="${(middle / greatest * barSpace).toFixed(1)}" height="16" rx="2" fill="${colours[kindOf(id)]}"/>`,
			`<path d="M${least} ${y + 10}H${most}M${least} ${y + 6}v8M${most} ${y + 6}v8" stroke="${colours.text}" stroke-width="1" opacity="0.5"/>`,
			`<text x="${(Number(most) + 8).toFixed(1)}" y="${y + 14}" fill="${colours.faint}">${whole(middle)}</text>`,
		];
	}));
};

type Line = {readonly id: string; readonly name: string; readonly points: ReadonlyArray<{readonly x: number; readonly y: number}>};

const shades: Readonly<Record<string, string>> = {'got-redis': '#4c6ef5', 'undici-redis': '#f08c00'};

/** Both axes are logarithmic. */
const linePlot = (title: string, xName: string, lines: readonly Line[]): string => {
	const [left, top, width, height] = [90, 56, 400, 240];
	const all = lines.flatMap(line => line.points);
	const exponents = (values: readonly number[]): [number, number] => [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
	const [xLeast, xMost] = exponents(all.map(point => point.x));
	const [yLeast, yMost] = exponents(all.map(point => point.y));
	const x = (value: number): string => (left + ((Math.log10(value) - xLeast) / Math.max(1, xMost - xLeast) * width)).toFixed(1);
	const y = (value: number): string => (top + height - ((Math.log10(value) - yLeast) / Math.max(1, yMost - yLeast) * height)).toFixed(1);
	const powers = (least: number, most: number): number[] => Array.from({length: most - least + 1}, (_, index) => 10 ** (least + index));

	return document(760, top + height + 56, title, [
		...powers(yLeast, yMost).flatMap(value => [
			`<path d="M${left} ${y(value)}h${width}" stroke="${colours.line}"/>`,
			`<text x="${left - 8}" y="${Number(y(value)) + 4}" text-anchor="end" fill="${colours.faint}">${whole(value)}</text>`,
		]),
		...[...new Set(all.map(point => point.x))].map(value => `<text x="${x(value)}" y="${top + height + 20}" text-anchor="middle" fill="${colours.faint}">${whole(value)}</text>`),
		`<text x="${left + (width / 2)}" y="${top + height + 42}" text-anchor="middle">${escape(xName)}</text>`,
		...lines.flatMap(({id, name, points}) => {
			const colour = shades[id] ?? colours[kindOf(id)];
			const last = points.at(-1);
			return last === undefined
				? []
				: [
					`<polyline points="${points.map(point => `${x(point.x)},${y(point.y)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
					...points.map(point => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3.5" fill="${colour}"/>`),
					`<text x="${Number(x(last.x)) + 10}" y="${Number(y(last.y)) + 4}">${escape(name)}</text>`,
				];
		}),
	]);
};

/** The figure that a plot of a scenario shows. */
const plottedFigure = ({scenario, concurrency}: Cell): {readonly figure: Figure; readonly title: string} | undefined => {
	if (scenario.requestsPerSecond !== undefined) {
		return {figure: 'p50Ms', title: 'milliseconds, median'};
	}

	if (concurrency !== usualConcurrency || scenario.name === 'keyspace' || scenario.name === 'first-byte') {
		return undefined;
	}

	return scenario.name === 'revalidation' || scenario.name.startsWith('miss')
		? {figure: 'cpuMicrosecondsPerRequest', title: 'microseconds of processor time per request'}
		: {figure: 'requestsPerSecond', title: 'requests per second'};
};

const barPlots = (results: Results): Plot[] => results.cells
	.flatMap(cell => {
		const plotted = plottedFigure(cell);
		return plotted ? [{cell, ...plotted}] : [];
	})
	.map(({cell, figure, title: unit}) => {
		const bars = results.entrants
			.map(({id, name}) => ({id, name, values: figures(results, cell.id, id, figure)}))
			// Bare reads are pipelined: so fast that no other bar would be seen.
			.filter(({id, values}) => id !== 'floor-redis' && values.length > 0);
		const title = `${cellTitle(cell)}: ${unit}`;
		return {
			file: `${cell.scenario.name}-${cell.size}.svg`, title, svg: bars.length === 0 ? '' : barPlot(title, bars),
		};
	});

const keyspacePlots = (results: Results): Plot[] => {
	const cells = results.cells.filter(({scenario}) => scenario.name === 'keyspace');
	const lines = results.entrants.map(({id, name}) => ({
		id,
		name,
		points: cells.map(cell => ({
			x: cell.unrelatedKeys, y: median(figures(results, cell.id, id, 'requestsPerSecond')),
		})).filter(point => point.y > 0),
	})).filter(line => line.points.length > 0);
	const title = 'Hits from Redis per second, as others fill it';
	return [{file: 'keyspace.svg', title, svg: lines.length === 0 ? '' : linePlot(title, 'unrelated keys in Redis', lines)}];
};

export const plotsOf = (results: Results): Plot[] => [...barPlots(results), ...keyspacePlots(results)].filter(({svg}) => svg !== '');
