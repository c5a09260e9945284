/** Loaded before the program: its wall clock is wrong by CANDOR_TEST_SKEW_MS. */
const skew = Number(process.env.CANDOR_TEST_SKEW_MS ?? 0);
const now = Date.now.bind(Date);
Date.now = () => now() + skew;
