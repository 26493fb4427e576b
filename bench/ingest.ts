import type { Benchmark, Results, World } from './benchmark.ts'
import { atLeast, type Goal, justSaid, lowerThanPeer } from './figures/goal.ts'
import { figure, spreadTextOf, tableText } from './figures/markdown.ts'
import { ratiosOf } from './figures/spread.ts'
import type { LastCheck, PushRequests, ReportRequests } from './load/job.ts'
import { failureOf, runLoad } from './load/run-load.ts'
import { missingFrom } from './newest-state.ts'
import { runRounds, type Slot } from './rounds.ts'
import { startBareHttp } from './servers/bare-http.ts'
import { startGitopsStatusServer } from './servers/gitops-status-server.ts'
import { startPushgateway } from './servers/pushgateway.ts'
import { untilQuiet } from './servers/quiet.ts'
import type { ServerProcess } from './servers/server-process.ts'

const OPTIONS = {
  rounds: { default: 5, about: 'rounds; in each, everything is measured once' },
  seconds: { default: 5, about: 'measured of each server in each round' },
  'warm-up': { default: 2, about: 'seconds before that' },
  connections: { default: 64, about: 'keep-alive connections of single reports' },
  'batch-connections': { default: 64, about: 'keep-alive connections of the batches' },
  targets: { default: 1_000, about: 'targets of the larger case; a multiple of the batch' },
  batch: { default: 100, about: 'reports in a batch' },
}
type Given = Readonly<Record<keyof typeof OPTIONS, number>>

/** How fast reports are taken in, beside the Pushgateway taking in the same. */
export const ingest: Benchmark<keyof typeof OPTIONS> = {
  about: 'reports per second and their latency, beside the Pushgateway',
  hasPeer: true,
  options: OPTIONS,
  run,
}

// The answers that are owed when the time is up: at the Pushgateway's 20 a second, 64 connections take three seconds.
const DRAIN_MS = 20_000

// Reports are a second apart and none may lie in the future: room for 34 million requests.
const DAYS_BACK = 400

interface Figure {
  /** These are null in a round that is void. */
  readonly perSecond: number | null
  readonly p50: number | null
  readonly p99: number | null
  readonly cpuMicros: number | null
  readonly generatorCpuMicros: number
  readonly failure: string | null
}

async function run(given: Given, world: World): Promise<Results> {
  const names = namesOf(given)
  const slots = await contest(given, world)
  const figures = await runRounds(given.rounds, slots, (round, name, { perSecond, p99, failure }) => {
    const said =
      failure === null ? `${figure(perSecond ?? 0)} reports/s, p99 ${figure(p99 ?? 0)} ms` : `VOID: ${failure}`
    world.say(`round ${round} of ${given.rounds}: ${name}: ${said}`)
  })
  return {
    blocks: [METHOD, tableOf(figures)],
    goals: world.alone ? [] : goalsOf(names, figures),
  }
}

function namesOf({ targets, batch }: Given) {
  return {
    peerOne: 'Pushgateway, 1 group',
    oursOne: 'gitops-status-server, 1 target',
    peerUnchecked: 'Pushgateway, consistency check off',
    oursBatches: `gitops-status-server, batches of ${batch}`,
    oursMany: `gitops-status-server, ${targets} targets`,
    peerMany: `Pushgateway, ${targets} groups`,
    bare: 'node:http, nothing stored',
  }
}

/** In the order of the first round: who is compared with each other stands side by side. */
async function contest(given: Given, world: World): Promise<Slot<Figure>[]> {
  const { targets, batch } = given
  const names = namesOf(given)
  const lastCheck: LastCheck = { from: Math.floor(Date.now() / 1_000) - DAYS_BACK * 86_400 }

  world.say('starting the servers')
  const ours = async (name: string, reports: Pick<ReportRequests, 'targets' | 'batch'>) => {
    const server = await startGitopsStatusServer({
      directory: world.makeDirectory(name),
      nodeOptions: world.nodeOptions,
    })
    return [slotOf({ name, server, requests: { kind: 'report', lastCheck, ...reports } }, given)]
  }
  const peer = async (name: string, groups: number, isConsistencyChecked: boolean) => {
    if (world.alone) return []
    const server = await startPushgateway({ directory: world.makeDirectory(name), groups, isConsistencyChecked })
    return [slotOf({ name, server, requests: { kind: 'push', lastCheck, targets: groups } }, given)]
  }

  const bare = async () => {
    if (world.alone) return []
    const server = await startBareHttp({ directory: world.makeDirectory('bare') })
    const requests = { kind: 'report', lastCheck, targets: 1, batch: null } as const
    return [slotOf({ name: names.bare, server, requests, keepsNothing: true }, given)]
  }

  const slots = [
    bare(),
    peer(names.peerOne, 1, true),
    ours(names.oursOne, { targets: 1, batch: null }),
    peer(names.peerUnchecked, 1, false),
    ours(names.oursBatches, { targets, batch }),
    ours(names.oursMany, { targets, batch: null }),
    peer(names.peerMany, targets, true),
  ]
  return (await Promise.all(slots)).flat()
}

interface Contestant {
  readonly name: string
  readonly server: ServerProcess
  readonly requests: ReportRequests | PushRequests
  /** Nothing of what it took can be asked for. */
  readonly keepsNothing?: boolean
}

function slotOf({ name, server, requests, keepsNothing = false }: Contestant, given: Given): Slot<Figure> {
  const isBatch = requests.kind === 'report' && requests.batch !== null
  const size = isBatch ? given.batch : 1
  let first = 0

  return {
    name,
    async measure() {
      const cpuBefore = server.cpuMicros()
      const result = await runLoad({
        port: server.port,
        connections: isBatch ? given['batch-connections'] : given.connections,
        requests,
        pace: {
          kind: 'as-fast-as-it-goes',
          first,
          warmUpMs: given['warm-up'] * 1_000,
          measureMs: given.seconds * 1_000,
          drainMs: DRAIN_MS,
        },
      })
      first = result.next
      const missing =
        requests.kind === 'report' && !keepsNothing ? await missingFrom(server.port, requests, first) : null
      await untilQuiet(server)
      const failure = failureOf(result) ?? missing
      const { p50, p99 } = result.latency
      const cpuMicros = (server.cpuMicros() - cpuBefore) / (result.answeredInAll * size)
      const { generatorCpuMicros } = result
      if (failure !== null) {
        return { perSecond: null, p50: null, p99: null, cpuMicros: null, generatorCpuMicros, failure }
      }
      return { perSecond: result.perSecond * size, p50, p99, cpuMicros, generatorCpuMicros, failure }
    },
  }
}

type Figures = ReadonlyMap<string, readonly Figure[]>
type Names = ReturnType<typeof namesOf>

const METHOD = `Each figure: minimum / **median** / maximum of the rounds. A report counts when its answer has come; latencies are of requests.
CPU is the server's, per report; of the load generator it is per request.`

function tableOf(figures: Figures): string {
  return tableText({
    head: ['server', 'reports/s', 'p50 ms', 'p99 ms', 'CPU µs', "generator's CPU µs", 'void'],
    rows: [...figures].map(([name, rounds]) => [
      name,
      spreadTextOf(rounds.map(({ perSecond }) => perSecond)),
      spreadTextOf(rounds.map(({ p50 }) => p50)),
      spreadTextOf(rounds.map(({ p99 }) => p99)),
      spreadTextOf(rounds.map(({ cpuMicros }) => cpuMicros)),
      spreadTextOf(rounds.map(({ generatorCpuMicros }) => generatorCpuMicros)),
      String(rounds.filter(({ failure }) => failure !== null).length),
    ]),
  })
}

function goalsOf(names: Names, figures: Figures): Goal[] {
  const ratios = (what: 'perSecond' | 'p99', ours: string, peer: string) => {
    const of = (name: string) => figures.get(name)?.map((one) => one[what]) ?? []
    return ratiosOf(of(ours), of(peer))
  }
  const { peerOne, oursOne, peerUnchecked, oursBatches, oursMany, peerMany, bare } = names
  const compared = [
    [15, oursOne, peerOne],
    [100, oursMany, peerMany],
    [0.9, oursOne, peerUnchecked],
    [10, oursBatches, peerUnchecked],
  ] as const
  return [
    justSaid(`reports/s: ${bare} ÷ ${peerOne}`, ratios('perSecond', bare, peerOne)),
    justSaid(`reports/s: ${oursOne} ÷ ${bare}`, ratios('perSecond', oursOne, bare)),
    ...compared.map(([least, ours, peer]) =>
      atLeast(least, `reports/s: ${ours} ÷ ${peer}`, ratios('perSecond', ours, peer)),
    ),
    ...compared.map(([, ours, peer]) => lowerThanPeer(`p99: ${ours} ÷ ${peer}`, ratios('p99', ours, peer))),
  ]
}
