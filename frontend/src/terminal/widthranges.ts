/**
 * Which characters take two columns, and which none, as ranges of code points. Generated from Python 3.13's
 * unicodedata (Unicode 15.1), not written by hand: wide = East Asian Width W or F; zero = categories Mn, Me, Cf
 * (but not U+00AD) and the Hangul vowels and finals U+1160-U+11FF, which join the syllable before them.
 *
 * Form: hexadecimal, "gap" or "gap-length": the range begins `gap` after the end of the one before it and goes on
 * for `length` more code points.
 */

/** Two columns. */
export const WIDE_RANGES = `
1100-5f 11bb-1 e-1 bf-3 4 3 20a-1 16-1 33-b 2c 14 e 9-1 12-1 6-1 9 6 16 8-1 2 5 3 8 5-1 1d 24 2 5-2 2
3e-2 19 f 35c-1 34 5 32b-19 2-58 d-d5 1b-39 5-10 3-55 5-64 6-2a 2-5d 2-53 c-2f 2-27 9-1b6f 41-568c 4-36
49a-1c 284-2ba3 215d-1ff 311-9 17-22 2-12 2-3 96-5f 80-6 6ffa-3 d-1 f-17f7 9-4d5 2b-8 22e8-3 2-6 2-1
2-122 10 1e-2 3 f-3 9-18b 3d09 cb bf 3-9 66-2 e-2b 5-8 8-1 f-5 9b-20 d-8 2-45 2-15 d-2a 5-4 d-10 4 4-46
2 2-ba 3-3e e-3 2-17 13 1b-1 e 57-54 31-45 7 4-2 3-2 5-3 c-1 8-8 e4-b 5 11c-2e 2-9 2-b8 71-c 4-8 8-2d
2-6 9-d 5-8 8-8 508-fffd 3-fffd
`;

/** No column of their own. */
export const ZERO_RANGES = `
300-6f 114-6 108-2c 2 2-1 2-1 2 39-5 b-a 2 2f-14 11 66-7 2-5 3-1 2-3 22 2 1f-1a 5c-a 3b-8 a 19-3 2-8 2-2
2-4 2c-2 35-1 7-7 2b-38 38 2 5-7 5 4-6 b-1 1e 3b 5-3 9 15-1 1b 3-1 3a 5-1 5-1 3-2 4 1f-1 4 c-1 3a 5-4
2-1 5 15-1 17-5 2 3b 3 2-3 9 8-1 c-1 1f 3e d 33 4 38 2-2 6-2 2-3 8-1 c-1 1e 3b 3 7 6-1 15-1 1d-1 3a-1
5-3 9 15-1 1e 49 8-2 2 5b 3-6 d-7 63 3-8 c-6 4a-1 1c 2 2 38-d 2-4 2-1 6-a 2-23 a 67-3 2-5 2-1 3-1 1a-1
5-2 11-3 e 3-1 7 10 c3-9f 15e-2 3b3-2 1e-1 1f-1 1f-1 41-1 2-6 9 3-a a 2e-4 76-1 23 77-2 5-1 a 7-2 dc-1 3
3b 2-6 2 2 3-7 7-9 3 31-1e 32-3 31 2-4 2 6 29-8 d-1 21-3 3-1 2-2 39 2-1 4 2-2 3b-7 3-1 99-2 2-c 2-6 5 7
4-1 c7-3f 20c-4 1b-4 32-4 2-9 61-20 bff-2 8e 61-1f 22b-3 6c-1 75d5-3 2-9 21-1 51-1 111 4 5 1a-1 6 98-1
1b-11 e 27-7 1a-a 2f-2 31 3-3 3-1 28 44-5 3-1 3-1 d 9 30 34 2-2 3-1 6-1 2 2b-1 9 ef 3 5 4f31 2e2-f 11-f
d0 fa-2 202 e3 96-4 687-2 2-1 6-3 29-2 5 a6-1 23e-3 184-1 51-2 47-a 32-3 7c 37-e 2a 3-1 b-2 32-3 3-1 3 5
b 33-2 25-4 2-7 3f d-1 35-8 b-3 3 60-2 3 2-1 7 3 9e 4-7 16-1 3a-1 4 26-6 4-4 c4-7 3-2 2 18 55-5 2 5-1
2-1 ef-3 7-1 2-1 1c-1 56-7 3 2-1 6b 2 3-5 2 66-2 3-3 2-4 104-8 2-1 101-1 2 5 91-3 3-1 5 21-9 29-5 3-3 9
a-5 3-2 2f-c 2-1 197-6 2-5 2 53-15 3-6 2-1 2-1 7b-5 4 2-1 2-6 2 49-1 4 2 15c-1 c-1 35-4 6 2 14ee-10 7-e
369b-4 3c-6 419 40-3 52 4cb9-1 2-3 125d-2d 3-16 221-2 a-f 3-6 1f-3 95-2 7bc-36 5-31 9 f 17-4 2-e 551-6
2-10 3-6 2-1 2-4 65 a1-6 178 3e-3 1fd-3 3e1-6 6e-6 c16b7 1f-5f 81-ef
`;
