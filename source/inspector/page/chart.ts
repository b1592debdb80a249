import {h, s} from './dom.ts';

/*
Charts over time: stacked bars, and a line on top that has a scale of its own.
*/

export type Series = {
	readonly name: string;
	/** The class that gives the colour. */
	readonly kind: string;
	readonly values: readonly number[];
};

export type Chart = {
	/** A sentence for those who do not see the chart. */
	readonly summary: string;
	/** The beginnings of the steps, as text. */
	readonly labels: readonly string[];
	readonly series: readonly Series[];
	/** Shares from 0 to 1; `undefined` where there is none. */
	readonly line?: {readonly name: string; readonly values: ReadonlyArray<number | undefined>} | undefined;
	readonly format: (value: number) => string;
	/** The unit of the bars, such as `requests per minute`. */
	readonly unit: string;
};

const height = 202;
/** In pixels. */
const leastLabelWidth = 64;

/** The names of the axes stand above the plot. */
const margin = {top: 32, right: 40, bottom: 22, left: 54};

/** The least round number that is not below a value. */
const roundUp = (value: number): number => {
	if (value <= 0) {
		return 1;
	}

	const power = 10 ** Math.floor(Math.log10(value));
	return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(factor => factor * power >= value) ?? 10) * power;
};

type Scale = {
	readonly plotWidth: number;
	readonly stepWidth: number;
	/** The value at the upper end. */
	readonly top: number;
	readonly xOf: (step: number) => number;
	/** The place of a share of the height, from 0 to 1. */
	readonly yOf: (share: number) => number;
};

const plotHeight = height - margin.top - margin.bottom;

const scaleOf = ({labels, series}: Chart, width: number): Scale => {
	const plotWidth = Math.max(10, width - margin.left - margin.right);
	const stepWidth = plotWidth / Math.max(1, labels.length);
	const totals = labels.map((_, step) => series.reduce((sum, {values}) => sum + (values[step] ?? 0), 0));

	return {
		plotWidth,
		stepWidth,
		top: roundUp(Math.max(...totals)),
		xOf: step => margin.left + (step * stepWidth),
		yOf: share => margin.top + (plotHeight * (1 - share)),
	};
};

const percentOf = (share: number | undefined): string => share === undefined ? '–' : `${Math.round(share * 100)}%`;

const drawGrid = ({line, format}: Chart, {plotWidth, top, yOf}: Scale): SVGElement[] => [0, 0.5, 1].flatMap(share => [
	s('line', {class: 'grid', x1: margin.left, x2: margin.left + plotWidth, y1: yOf(share), y2: yOf(share)}),
	s('text', {class: 'scale', x: margin.left - 6, y: yOf(share) + 4, 'text-anchor': 'end'}, format(top * share)),
	...line ? [s('text', {class: 'scale', x: margin.left + plotWidth + 6, y: yOf(share) + 4}, percentOf(share))] : [],
]);

/** Draws the names of the axes. */
const drawUnits = ({line, unit}: Chart, {plotWidth}: Scale): SVGElement[] => [
	s('text', {class: 'scale unit', x: 0, y: 12}, unit),
	...line ? [s('text', {class: 'scale unit', x: margin.left + plotWidth + margin.right, y: 12, 'text-anchor': 'end'}, line.name)] : [],
];

/** Draws so many labels that they do not touch. */
const drawLabels = ({labels}: Chart, {plotWidth, xOf}: Scale): SVGElement[] => {
	const every = Math.max(1, Math.ceil(labels.length / Math.max(1, Math.floor(plotWidth / leastLabelWidth))));
	return labels.flatMap((label, step) => step % every === 0 ? [s('text', {class: 'scale', x: xOf(step), y: height - 6}, label)] : []);
};

/** Draws the bars of a step on one another, with what a pointer is told. */
const drawStep = ({labels, series, line, format}: Chart, {stepWidth, top, xOf, yOf}: Scale, step: number): SVGElement => {
	const parts = series.map(({name, kind, values}) => ({name, kind, value: values[step] ?? 0})).filter(({value}) => value > 0);
	const told = [labels[step] ?? '', ...parts.map(({name, value}) => `${name}: ${format(value)}`), ...line ? [`${line.name}: ${percentOf(line.values[step])}`] : []];
	let below = 0;

	return s(
		'g',
		{class: 'step'},
		s('title', {}, told.join('\n')),
		s('rect', {class: 'hover', x: xOf(step), y: margin.top, width: stepWidth, height: plotHeight}),
		...parts.map(({kind, value}) => {
			const barHeight = Math.max(0.5, (value / top) * plotHeight);
			const bar = s('rect', {class: `fill ${kind}`, x: xOf(step) + (stepWidth * 0.1), y: yOf(below / top) - barHeight, width: stepWidth * 0.8, height: barHeight});
			below += value;
			return bar;
		}),
	);
};

const drawLine = ({line}: Chart, {stepWidth, xOf, yOf}: Scale): SVGElement[] => {
	const points = (line?.values ?? []).flatMap((share, step) => share === undefined ? [] : [{x: xOf(step) + (stepWidth / 2), y: yOf(share)}]);
	const [first] = points;

	if (first && points.length === 1) {
		return [s('circle', {class: 'ratio-point', cx: first.x, cy: first.y, r: 3})];
	}

	return [s('polyline', {class: 'ratio', points: points.map(({x, y}) => `${x},${y}`).join(' ')})];
};

const draw = (data: Chart, width: number): SVGSVGElement => {
	const scale = scaleOf(data, width);

	return s(
		'svg',
		{class: 'chart', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': data.summary},
		...drawUnits(data, scale),
		...drawGrid(data, scale),
		...drawLabels(data, scale),
		...data.labels.map((_, step) => drawStep(data, scale, step)),
		...drawLine(data, scale),
	);
};

const legend = ({series, line}: Chart): HTMLElement => h(
	'ul',
	{class: 'legend', attributes: {'aria-hidden': 'true'}},
	...series.map(({name, kind}) => h('li', {}, h('i', {class: `swatch ${kind}`}), name)),
	line && h('li', {}, h('i', {class: 'swatch ratio'}), line.name),
);

const table = ({labels, series, line, format}: Chart): HTMLElement =>
	h(
		'details',
		{class: 'as-table'},
		h('summary', {}, 'As a table'),
		h(
			'div',
			{class: 'scroll', attributes: {tabindex: 0}},
			h(
				'table',
				{},
				h('thead', {}, h('tr', {}, h('th', {}, 'From'), ...series.map(({name}) => h('th', {}, name)), line && h('th', {}, line.name))),
				h(
					'tbody',
					{},
					...labels.map((label, step) =>
						h(
							'tr',
							{},
							h('td', {}, label),
							...series.map(({values}) => h('td', {class: 'number'}, format(values[step] ?? 0))),
							line && h('td', {class: 'number'}, percentOf(line.values[step])),
						),
					),
				),
			),
		),
	);

/** Makes a chart that follows the width of its place. */
export const chart = (data: Chart): HTMLElement => {
	const place = h('div', {class: 'plot'});
	const observer = new ResizeObserver(([observed]) => {
		const width = Math.floor(observed?.contentRect.width ?? 0);
		if (width > 0) {
			place.replaceChildren(draw(data, width));
		}
	});
	observer.observe(place);

	return h('div', {}, place, data.series.length > 1 || data.line ? legend(data) : undefined, table(data));
};
