import type { Console } from './console.ts'
import type { Screen } from './watch-screen.ts'

/** All that the program `gitops-status` sees of the world. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly console: Console
  /** Whether standard output is a terminal. */
  readonly terminal: boolean
  readonly signal: AbortSignal
  /** Where a table can be drawn; left out where standard output is no terminal. */
  readonly screen?: Screen
  /** Asks the person at the terminal; null when no answer will come. Left out where nobody is. */
  readonly ask?: (question: string) => Promise<string | null>
}
