import type { Logger } from 'pino'

/** Static words, data in fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
