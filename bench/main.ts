// npm run bench -- NAME: measures one thing, and prints what it found as Markdown.
import { mkdirSync, statfsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { makePrivateDirectory } from '../test/lab/private-directory.ts'
import type { Benchmark, Results } from './benchmark.ts'
import { dashboard } from './dashboard.ts'
import { goalsTable, mustHavePlace, replaceResults, tableText } from './figures/markdown.ts'
import { fleet } from './fleet.ts'
import { ingest } from './ingest.ts'
import { look } from './look.ts'
import { readOptions, usage, WrongUsage } from './options.ts'
import { read } from './read.ts'
import { endChildren } from './servers/end-with-us.ts'
import { findPushgateway } from './servers/pushgateway.ts'
import { watch } from './watch.ts'

/** Every benchmark. A new one: a file here, a line there, a place for its results in README.md. */
const BENCHMARKS: Readonly<Record<string, Benchmark>> = { ingest, read, fleet, dashboard, look, watch }

const EXIT_WRONG_SETTINGS = 64 // EX_USAGE of sysexits.h

async function main([name = '--help', ...args]: readonly string[]): Promise<void> {
  if (name === '--help' || args.includes('--help')) return console.log(usage(BENCHMARKS))
  const benchmark = BENCHMARKS[name]
  if (benchmark === undefined) throw new WrongUsage(`There is no benchmark "${name}"`)

  const { directory, markdown, alone, nodeOptions, given } = readOptions(benchmark, args)
  const isAlone = alone || !benchmark.hasPeer
  const versions = [`Node ${process.versions.node}`, ...(isAlone ? [] : [`Pushgateway ${findPushgateway()}`])]
  if (markdown !== undefined) mustHavePlace(markdown, name)
  mustBeOnDisk(directory)

  const load = loadNow()
  const own = makePrivateDirectory(join(resolve(directory), `gitops-status-bench-${process.pid}`))
  try {
    const results = await benchmark.run(given, {
      makeDirectory(part) {
        const path = join(own.path, part.replaceAll(/\W+/g, '-'))
        mkdirSync(path)
        return path
      },
      alone: isAlone,
      nodeOptions,
      say: (line) => console.error(line),
    })
    const text = `${headline([name, ...args], [...versions, `load before ${load}, after ${loadNow()}`])}\n\n${resultsText(results)}\n`
    console.log(text)
    if (markdown !== undefined) replaceResults(markdown, name, text)
  } finally {
    await endChildren()
    await own.remove()
  }
}

const TMPFS_MAGIC = 0x01021994

// There an fsync costs nothing, and the figures would be of nothing that anybody runs.
function mustBeOnDisk(directory: string): void {
  if (statfsSync(directory).type === TMPFS_MAGIC) {
    throw new WrongUsage(`${directory} is in memory (tmpfs): choose a directory on a disk with --directory`)
  }
}

// What others did on the machine meanwhile, as far as one number says it; afterwards it is our own, too.
function loadNow(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}

function headline(command: readonly string[], versions: readonly string[]): string {
  const [cpu] = cpus()
  const machine = [...versions, `${cpus().length} × ${cpu?.model.trim()}`, new Date().toISOString().slice(0, 10)]
  return `\`npm run bench -- ${command.join(' ')}\` (${machine.join(', ')})`
}

function resultsText({ blocks, goals }: Results): string {
  return [...blocks, ...(goals.length > 0 ? [tableText(goalsTable(goals))] : [])].join('\n\n')
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof WrongUsage
  console.error(error instanceof Error ? error.message : error)
  if (isUsage) console.error('See npm run bench -- --help')
  process.exitCode = isUsage ? EXIT_WRONG_SETTINGS : 1
}
