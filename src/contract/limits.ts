/** Beyond this many files a report carries the first ones, the true count, and `files_truncated`. */
export const MAX_FILES = 5_000

/** In characters. Linux allows a path of 4,096 bytes, each of which may need four characters (`\xNN`) to be shown. */
export const MAX_FILE_NAME_LENGTH = 16_384

/** Of one file's difference, in characters. */
export const MAX_DIFF_LENGTH = 65_536

/** Of a sentence, in characters. */
export const MAX_TEXT_LENGTH = 4_096

/** More reports than this in one request are refused, so that one request cannot hold up the others. */
export const MAX_BATCH = 1_000

/** Of one request, in bytes: room for a batch, and for one report with every file it may carry. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024

/** Of a request's JSON. A report needs four levels, in a batch five. */
export const MAX_DEPTH = 8

/** Clocks of those who report, and of those who ask, may be so far ahead. */
export const CLOCK_SKEW_MS = 5 * 60_000

export const MAX_SHORT_TEXT_LENGTH = 512
export const MAX_LINK_LENGTH = 2_048
