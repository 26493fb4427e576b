import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Benchmark, Results, World } from './benchmark.ts'
import { atLeast, type Goal, neverAbove } from './figures/goal.ts'
import { figure, spreadTextOf, tableText } from './figures/markdown.ts'
import { ratiosOf } from './figures/spread.ts'
import type { LoadResult, ReportRequests } from './load/job.ts'
import { failureOf, runLoad } from './load/run-load.ts'
import { unheardSince } from './newest-state.ts'
import { mustReportOncePerSecond } from './options.ts'
import { runRounds, type Slot } from './rounds.ts'
import { seedTargets } from './seed-targets.ts'
import { type Pause, startGitopsStatusServer } from './servers/gitops-status-server.ts'
import { startPushgateway } from './servers/pushgateway.ts'
import { readWhole } from './whole-answer.ts'

const OPTIONS = {
  rounds: { default: 5, about: 'rounds; in each, everything is measured once' },
  seconds: { default: 10, about: 'measured of each server in each round' },
  'warm-up': { default: 1, about: 'seconds before that' },
  clients: { default: 64, about: 'clients at once, beside the measurement with one' },
  targets: { default: 10_000, about: 'targets in both; a multiple of 100' },
  rate: { default: 2_000, about: 'reports that stream into our server in each second meanwhile' },
}
type Given = Readonly<Record<keyof typeof OPTIONS, number>>

/** How fast the newest state of everything is read, beside the Pushgateway's. */
export const read: Benchmark<keyof typeof OPTIONS> = {
  about: 'reads per second of /status.json while reports stream in, beside /metrics of the Pushgateway',
  hasPeer: true,
  options: OPTIONS,
  run,
}

const LEAST_RATIO = 1_000
const MOST_PAUSE_MS = 50

// Enough that a report never waits for another's answer at the rate of the stream.
const WRITERS = 16

// What our server still owes when the time is up. The Pushgateway is not waited for: it may need minutes.
const DRAIN_MS = 10_000

interface Figure {
  /** Null in a round that is void. */
  readonly perSecond: number | null
  /** Null when nothing was answered, too. */
  readonly p50: number | null
  readonly p99: number | null
  readonly memoryMB: number
  readonly failure: string | null
  /** Of our server. */
  readonly meanwhile: Meanwhile | null
}

interface Meanwhile {
  readonly writes: LoadResult
  readonly pause: Pause
  /** By the same clock in this process, which does nothing then: what the machine itself adds. */
  readonly noiseMs: number
}

interface Contestant {
  readonly answer: string
  measure(clients: number, path?: string): Promise<Figure>
}

// What the panel of a dashboard asks for. Every target of the benchmark has drifted: no selection is more work.
const SELECTED = '/api/v1/status?status=OUT_OF_SYNC'

async function run(given: Given, world: World): Promise<Results> {
  mustReportOncePerSecond(given)
  const names = namesOf(given)
  const ours = await openOurs(given, world)
  const peer = world.alone ? null : await openPeer(given, world)
  const slot = (name: string, contestant: Contestant | null, clients: number, path?: string): Slot<Figure>[] =>
    contestant === null ? [] : [{ name, measure: () => contestant.measure(clients, path) }]
  const slots = [
    ...slot(names.peerOne, peer, 1),
    ...slot(names.oursOne, ours, 1),
    ...slot(names.oursMany, ours, given.clients),
    ...slot(names.selectedOne, ours, 1, SELECTED),
    ...slot(names.selectedMany, ours, given.clients, SELECTED),
    ...slot(names.peerMany, peer, given.clients),
  ]

  const figures = await runRounds(given.rounds, slots, (round, name, { perSecond, p99, failure, meanwhile }) => {
    const said = failure === null ? `${figure(perSecond ?? 0)} reads/s, p99 ${figure(p99 ?? 0)} ms` : `VOID: ${failure}`
    const pause =
      meanwhile === null
        ? ''
        : `, longest pause ${figure(meanwhile.pause.ms)} ms, its CPU ${figure(meanwhile.pause.cpuMs)} ms`
    world.say(`round ${round} of ${given.rounds}: ${name}: ${said}${pause}`)
  })
  const answers = [ours, peer].flatMap((contestant) => contestant?.answer ?? [])
  return {
    blocks: [METHOD, answers.join('\n'), readsTable(figures), meanwhileTable(figures)],
    goals: [...(world.alone ? [] : ratioGoals(names, figures)), ...pauseGoals(figures)],
  }
}

function namesOf({ clients }: Given) {
  return {
    peerOne: 'Pushgateway, 1 client',
    oursOne: 'gitops-status-server, 1 client',
    oursMany: `gitops-status-server, ${clients} clients`,
    selectedOne: 'gitops-status-server, rows by status, 1 client',
    selectedMany: `gitops-status-server, rows by status, ${clients} clients`,
    peerMany: `Pushgateway, ${clients} clients`,
  }
}

async function openOurs(given: Given, world: World): Promise<Contestant> {
  world.say('starting gitops-status-server')
  const { targets } = given
  const directory = world.makeDirectory('gitops-status-server')
  const server = await startGitopsStatusServer({ directory, nodeOptions: world.nodeOptions, probe: true })
  await seedTargets(server.port, targets)
  let first = 0

  return {
    answer: await answerOf(server.port, '/status.json', (text) => JSON.parse(text).target_count === targets),

    async measure(clients, path = '/status.json') {
      const begunAt = new Date()
      const noise = monitorEventLoopDelay({ resolution: 1 })
      await server.longestPause() // what was before does not count
      noise.enable()
      const [reads, writes] = await Promise.all([
        readLoad({ port: server.port, path, clients, drainMs: DRAIN_MS }, given),
        writeLoad(server.port, first, given),
      ])
      noise.disable()
      const pause = await server.longestPause()
      first = writes.next

      const last = Array.from({ length: 20 }, (_, back) => (writes.next - 1 - back + targets) % targets)
      const failure = failureOf(reads) ?? failureOf(writes) ?? (await unheardSince(server.port, last, begunAt))
      const meanwhile = { writes, pause, noiseMs: noise.max / 1e6 - 1 }
      return figureOf(reads, { memoryMB: server.memory().peakMB, failure, meanwhile })
    },
  }
}

async function openPeer(given: Given, world: World): Promise<Contestant> {
  world.say('starting the Pushgateway')
  const { targets } = given
  const start = { directory: world.makeDirectory('pushgateway'), groups: targets, isConsistencyChecked: true }
  const isWhole = (text: string) => text.match(/^gitops_sync_status\{/gm)?.length === targets
  let server = await startPushgateway(start)

  return {
    answer: await answerOf(server.port, '/metrics', isWhole),

    async measure(clients) {
      const reads = await readLoad({ port: server.port, path: '/metrics', clients, drainMs: 0 }, given)
      const { peakMB } = server.memory()
      // It would go on for minutes with answers that nobody waits for, at the cost of who is measured next.
      server.signal('SIGKILL')
      server = await startPushgateway(start)
      return figureOf(reads, { memoryMB: peakMB, failure: failureOf({ ...reads, unanswered: 0 }), meanwhile: null })
    },
  }
}

/** Looks once whether what is about to be counted is what was asked for. */
async function answerOf(port: number, path: string, isWhole: (text: string) => boolean): Promise<string> {
  const { text, encoding, bytes } = await readWhole(port, path)
  if (!isWhole(text)) throw new Error(`${path} does not hold every target`)
  return `* \`${path}\`: ${figure(bytes / 1_024)} kB on the wire, ${encoding}`
}

interface Reads {
  readonly port: number
  readonly path: string
  readonly clients: number
  readonly drainMs: number
}

function readLoad({ port, path, clients, drainMs }: Reads, given: Given): Promise<LoadResult> {
  return runLoad({
    port,
    connections: clients,
    requests: { kind: 'read', path },
    pace: {
      kind: 'as-fast-as-it-goes',
      first: 0,
      warmUpMs: given['warm-up'] * 1_000,
      measureMs: given.seconds * 1_000,
      drainMs,
    },
  })
}

function writeLoad(port: number, first: number, given: Given): Promise<LoadResult> {
  const { targets, rate: perSecond, seconds } = given
  const requests: ReportRequests = { kind: 'report', targets, batch: null, lastCheck: 'now' }
  const pace = { kind: 'at-a-rate', first, perSecond, seconds: given['warm-up'] + seconds, stretchMs: 60_000 } as const
  return runLoad({ port, connections: WRITERS, requests, pace })
}

type Circumstances = Pick<Figure, 'memoryMB' | 'failure' | 'meanwhile'>

function figureOf({ perSecond, answered, latency }: LoadResult, circumstances: Circumstances): Figure {
  if (circumstances.failure !== null) return { perSecond: null, p50: null, p99: null, ...circumstances }
  const hasLatency = answered > 0
  return {
    perSecond,
    p50: hasLatency ? latency.p50 : null,
    p99: hasLatency ? latency.p99 : null,
    ...circumstances,
  }
}

type Figures = ReadonlyMap<string, readonly Figure[]>

const METHOD = `Each figure: minimum / **median** / maximum of the rounds. Reports stream into our server while it is read; the Pushgateway is
spared that. The event loop's pause is the longest of a round; "its CPU" is the most that its thread took in a piece; "noise" is what an idle process saw by the same clock at the same time.`

function readsTable(figures: Figures): string {
  return tableText({
    head: ['server', 'reads/s', 'p50 ms', 'p99 ms', 'peak memory MB', 'void'],
    rows: [...figures].map(([name, rounds]) => [
      name,
      spreadTextOf(rounds.map(({ perSecond }) => perSecond)),
      spreadTextOf(rounds.map(({ p50 }) => p50)),
      spreadTextOf(rounds.map(({ p99 }) => p99)),
      spreadTextOf(rounds.map(({ memoryMB }) => memoryMB)),
      String(rounds.filter(({ failure }) => failure !== null).length),
    ]),
  })
}

function meanwhileTable(figures: Figures): string {
  const rows = [...figures].flatMap(([name, rounds]) => {
    const all = rounds.flatMap(({ meanwhile }) => meanwhile ?? [])
    if (all.length === 0) return []
    return [
      [
        name,
        spreadTextOf(all.map(({ writes }) => writes.perSecond)),
        spreadTextOf(all.map(({ writes }) => writes.latency.p50)),
        spreadTextOf(all.map(({ writes }) => writes.latency.p99)),
        spreadTextOf(all.map(({ pause }) => pause.ms)),
        spreadTextOf(all.map(({ pause }) => pause.cpuMs)),
        spreadTextOf(all.map(({ noiseMs }) => noiseMs)),
      ],
    ]
  })
  return tableText({
    head: ['meanwhile', 'reports/s taken in', 'p50 ms', 'p99 ms', 'longest pause ms', 'its CPU ms', 'noise ms'],
    rows,
  })
}

function ratioGoals(names: ReturnType<typeof namesOf>, figures: Figures): Goal[] {
  const of = (name: string) => figures.get(name)?.map(({ perSecond }) => perSecond) ?? []
  const one = of(names.peerOne)
  // Clients that get no answer in the time count as much as one that does.
  const many = of(names.peerMany).map((perSecond, round) => (perSecond === 0 ? (one[round] ?? null) : perSecond))
  return [
    atLeast(LEAST_RATIO, `reads/s: ${names.oursOne} ÷ ${names.peerOne}`, ratiosOf(of(names.oursOne), one)),
    atLeast(LEAST_RATIO, `reads/s: ${names.oursMany} ÷ ${names.peerMany}`, ratiosOf(of(names.oursMany), many)),
  ]
}

function pauseGoals(figures: Figures): Goal[] {
  const pauses = [...figures.values()].flat().flatMap(({ meanwhile }) => meanwhile?.pause ?? [])
  const above = (what: string, all: readonly number[]) => neverAbove(MOST_PAUSE_MS, 'ms', what, all)
  return [
    above(
      'longest pause of the event loop, every round',
      pauses.map(({ ms }) => ms),
    ),
    above(
      'its CPU: without what the machine adds',
      pauses.map(({ cpuMs }) => cpuMs),
    ),
  ]
}
