/** Random numbers between 0 and 1, the same for the same seed: the generator of Park and Miller. */
export const randomFrom = (seed: number): (() => number) => {
	let state = seed;
	return () => {
		state = state * 48_271 % 2_147_483_647;
		return state / 2_147_483_647;
	};
};
