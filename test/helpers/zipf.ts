/** Draws ranks from 1 on by Zipf's law: the second is half as frequent as the first. */
export const zipf = (most: number, random: () => number) => {
	const weights = Array.from({length: most}, (_, rank) => 1 / (rank + 1));
	let sum = 0;
	const cumulative = weights.map(weight => {
		sum += weight;
		return sum;
	});
	return (): number => {
		const wanted = random() * sum;
		return cumulative.findIndex(limit => limit >= wanted) + 1;
	};
};
