import type { Console } from './console.ts'

/** All that the program `gitops-status` sees of the world. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly console: Console
  /** Whether standard output is a terminal. */
  readonly terminal: boolean
  readonly signal: AbortSignal
  /** Asks the person at the terminal; null when no answer will come. Left out where nobody is. */
  readonly ask?: (question: string) => Promise<string | null>
}
