import type { Goal } from './figures/goal.ts'

/** Something that `npm run bench -- NAME` measures. */
export interface Benchmark<Name extends string = string> {
  readonly about: string
  /** The Pushgateway is measured in the same run, unless it is left out. */
  readonly hasPeer: boolean
  readonly options: Readonly<Record<Name, Option>>
  run(given: Readonly<Record<Name, number>>, world: World): Promise<Results>
}

export interface Option {
  readonly default: number
  readonly about: string
}

export interface World {
  /** Makes a new one of this name, on a disk. It disappears afterwards. */
  readonly makeDirectory: (name: string) => string
  /** Measure our server without the Pushgateway. */
  readonly alone: boolean
  /** For our server's NODE_OPTIONS. */
  readonly nodeOptions: string
  /** Progress, for who waits. */
  readonly say: (line: string) => void
}

export interface Results {
  /** Paragraphs and tables, in Markdown. */
  readonly blocks: readonly string[]
  readonly goals: readonly Goal[]
}
