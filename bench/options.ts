import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.ts'

/** What every benchmark takes. */
const COMMON = {
  directory: { type: 'string', default: '/var/tmp' },
  markdown: { type: 'string' },
  alone: { type: 'boolean', default: false },
  'node-options': { type: 'string', default: '' },
} as const

export class WrongUsage extends Error {}

/** @throws WrongUsage */
export function readOptions({ options }: Benchmark, args: readonly string[]) {
  const own = Object.fromEntries(Object.keys(options).map((name) => [name, { type: 'string' as const }]))
  const values = parse(args, { ...own, ...COMMON })
  const { directory, markdown, alone, 'node-options': nodeOptions, ...rest } = values
  const texts: Readonly<Record<string, unknown>> = rest
  const given = Object.entries(options).map(([name, option]) => [name, numberOf(name, texts[name] ?? option.default)])
  return {
    directory,
    markdown,
    alone,
    nodeOptions,
    given: Object.fromEntries(given) as Readonly<Record<string, number>>,
  }
}

function parse(args: readonly string[], options: typeof COMMON) {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error))
  }
}

function numberOf(name: string, text: unknown): number {
  const value = Number(text)
  if (!(value > 0 && value < 1e9)) throw new WrongUsage(`--${name} must be a number above 0; got ${text}`)
  return value
}

// `last_check` is written to the second. The same report twice would not be stored, and cost next to nothing.
export function mustReportOncePerSecond({ targets, rate }: { readonly targets: number; readonly rate: number }): void {
  if (rate > targets) {
    throw new WrongUsage(`--rate ${rate} must not be above --targets ${targets}: each report must differ from the last`)
  }
}

export function usage(benchmarks: Readonly<Record<string, Benchmark>>): string {
  const each = Object.entries(benchmarks).map(([name, { about, options }]) => {
    const rows = Object.entries(options).map(
      ([option, { about, default: value }]) => `  --${`${option} ${value}`.padEnd(24)} ${about}\n`,
    )
    return `npm run bench -- ${name}\n  ${about}\n${rows.join('')}`
  })
  return `${each.join('\n')}
All of them
  --directory /var/tmp       where databases are kept meanwhile; must be on a disk
  --markdown FILE            also put the results into this file, where it has a place for them
  --alone                    measure our server without the Pushgateway
  --node-options=OPTIONS     for our server, such as --max-old-space-size=8192 or --cpu-prof
`
}
