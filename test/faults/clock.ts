const systemNow = Date.now;

let offsetMs = 0;

// Before any cache is made, which takes the function as it finds it.
Date.now = () => systemNow() + offsetMs;

/** Steps the clock of this process away from the system's. */
export const stepClock = (milliseconds: number): void => {
	offsetMs = milliseconds;
};
