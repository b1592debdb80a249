/** Letters alone, in lower case: `ttl_offset` is `ttlOffset`. */
export const lettersOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z]/gv, '');

/** How many letters have to be put in, left out, exchanged or swapped with the next one to make one name the other (optimal string alignment). */
export const editDistance = (one: string, other: string): number => {
	let beforeLast: number[] = [];
	let last = Array.from({length: other.length + 1}, (_, index) => index);
	for (const [row, letter] of [...one].entries()) {
		const current = [row + 1];
		for (const [column, otherLetter] of [...other].entries()) {
			const isSwapped = row > 0 && column > 0 && letter === other[column - 1] && one[row - 1] === otherLetter;
			current.push(Math.min(
				(last[column + 1] ?? 0) + 1,
				(current[column] ?? 0) + 1,
				(last[column] ?? 0) + Number(letter !== otherLetter),
				isSwapped ? (beforeLast[column - 1] ?? 0) + 1 : Infinity,
			));
		}

		beforeLast = last;
		last = current;
	}

	return last.at(-1) ?? 0;
};

/** How far a misspelt name is from a right one: from 0 to 1. A part of a name is nearer than so many wrong letters. */
const distance = (given: string, name: string): number => {
	const [one, other] = [lettersOf(given), lettersOf(name)];
	const shorter = Math.min(one.length, other.length);
	const isPart = shorter >= 3 && (one.includes(other) || other.includes(one));

	return editDistance(one, other) / Math.max(one.length, other.length, 1) / (isPart ? 2 : 1);
};

/** The names that a misspelt one was most likely meant to be, the likeliest first. */
export const nearestNames = (given: string, names: readonly string[]): string[] =>
	names.map(name => ({name, distance: distance(given, name)})).toSorted((one, other) => one.distance - other.distance).slice(0, 3).map(({name}) => name);
