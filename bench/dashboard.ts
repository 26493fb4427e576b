import type { Browser, Page } from 'playwright-core'
import { findChromium, startBrowser } from '../test/web/browser.ts'
import type { Benchmark, Results, World } from './benchmark.ts'
import { markWhen, nowMs, type Trace, traceOf } from './browser/trace.ts'
import { neverAbove, usuallyWithin } from './figures/goal.ts'
import { figure, spreadTextOf, tableText } from './figures/markdown.ts'
import { lastCheckOf, REPO, serverName } from './load/requests.ts'
import { WrongUsage } from './options.ts'
import { runRounds, type Slot } from './rounds.ts'
import { seedTargets } from './seed-targets.ts'
import { startGitopsStatusServer } from './servers/gitops-status-server.ts'
import { untilQuiet } from './servers/quiet.ts'
import { readWhole } from './whole-answer.ts'

const OPTIONS = {
  rounds: { default: 5, about: 'rounds; in each, everything is measured once' },
  targets: { default: 1_000, about: 'targets of a usual fleet; a multiple of 100, as the others' },
  many: { default: 10_000, about: 'targets of a large one, in which is searched and scrolled' },
  huge: { default: 50_000, about: 'targets of the largest that is loaded' },
}
type Given = Readonly<Record<keyof typeof OPTIONS, number>>

/** What a person waits for in a browser, by Chromium's own trace. */
export const dashboard: Benchmark<keyof typeof OPTIONS> = {
  about: 'the dashboard in Chromium: sizes, first load, search, scrolling, a change, a target',
  hasPeer: false,
  options: OPTIONS,
  run,
}

const MOST_BYTES = 200_000
const MOST_FIRST_ROWS_MS = 1_000
const MOST_FILTER_MS = 100
const MOST_TASK_MS = 50

// Each key leaves fewer targets than the one before, in which something new can be seen.
const TYPED = '427'
const SCREEN = { width: 1_280, height: 800 }
const SCROLL = { pixels: 30_000, pixelsPerSecond: 10_000 }

/** Milliseconds, by what was measured. Something may be measured several times in a round. */
type Figures = ReadonlyMap<Measured, readonly number[]>
type Measured = keyof typeof MEASURED

const MEASURED = {
  firstPaint: 'first paint',
  firstRows: 'first rows on the screen',
  wholeFleet: 'whole fleet known',
  keystroke: 'from a key to the rows that match',
  scrollTask: 'longest task while scrolling, its CPU',
  scrollWall: 'longest task while scrolling, others on the machine included',
  scrollFrame: 'from frame to frame while scrolling, median',
  change: 'from sending a report to its row on the screen',
  target: 'from a click on a target to its files',
} as const

interface Fleet {
  readonly name: string
  readonly targets: number
  readonly port: number
  /** Reports of all targets are new again: none is late while it is measured. */
  refresh(): Promise<void>
}

async function run(given: Given, world: World): Promise<Results> {
  if (new Set([given.targets, given.many, given.huge]).size < 3) {
    throw new WrongUsage('--targets, --many and --huge must be three different numbers')
  }
  const executable = findChromium()
  if (executable === undefined) {
    throw new WrongUsage('Chromium is not installed: run "sudo apt-get install -y chromium"')
  }
  const browser = await startBrowser(executable)
  try {
    await (await browser.newPage()).goto('about:blank') // what a browser does once in its life is over then
    const usual = await openFleet(given.targets, world)
    const many = await openFleet(given.many, world)
    const huge = await openFleet(given.huge, world)
    const sizes = await sizesOf(usual.port)

    const slots: Slot<Figures>[] = [
      { name: usual.name, measure: () => firstLoad(browser, usual) },
      { name: many.name, measure: () => use(browser, many) },
      { name: huge.name, measure: () => firstLoad(browser, huge) },
    ]
    const measured = await runRounds(given.rounds, slots, (round, name, figures) => {
      const said = [...figures].map(([what, values]) => `${MEASURED[what]} ${values.map(figure).join(' ')} ms`)
      world.say(`round ${round} of ${given.rounds}: ${name}: ${said.join(', ')}`)
    })
    const valuesOf = ({ name }: Fleet, what: Measured) =>
      (measured.get(name) ?? []).flatMap((figures) => figures.get(what) ?? [])
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
    return {
      blocks: [
        `Chromium ${browser.version()}, a window of ${SCREEN.width} × ${SCREEN.height}, no GPU. Each figure: minimum / **median** / maximum of the rounds.`,
        tableText({
          head: ['first load', 'kB on the wire'],
          rows: [...sizes.map(({ name, bytes }) => [name, kilobytes(bytes)]), ['**in all**', kilobytes(total)]],
        }),
        tableText({
          head: ['milliseconds', ...[usual, many, huge].map(({ name }) => name)],
          rows: (Object.keys(MEASURED) as Measured[]).map((what) => [
            MEASURED[what],
            ...[usual, many, huge].map((fleet) => spreadTextOf(valuesOf(fleet, what))),
          ]),
        }),
      ],
      goals: [
        neverAbove(MOST_BYTES / 1_000, 'kB', 'first load, compressed', [total / 1_000]),
        usuallyWithin(MOST_FIRST_ROWS_MS, 'ms', `first rows, ${usual.name}`, valuesOf(usual, 'firstRows')),
        usuallyWithin(MOST_FILTER_MS, 'ms', `key to matching rows, ${many.name}`, valuesOf(many, 'keystroke')),
        neverAbove(MOST_TASK_MS, 'ms', `longest task while scrolling, ${many.name}`, valuesOf(many, 'scrollTask')),
      ],
    }
  } finally {
    await browser.close()
  }
}

async function openFleet(targets: number, world: World): Promise<Fleet> {
  const name = `${targets.toLocaleString('en')} targets`
  world.say(`starting a server with ${name}`)
  const server = await startGitopsStatusServer({
    directory: world.makeDirectory(name),
    nodeOptions: world.nodeOptions,
  })
  return {
    name,
    targets,
    port: server.port,
    async refresh() {
      await seedTargets(server.port, targets)
      await untilQuiet(server)
    },
  }
}

interface Size {
  readonly name: string
  readonly bytes: number
}

/** Everything that a browser loads before it shows anything, as compressed as it is sent. */
async function sizesOf(port: number): Promise<Size[]> {
  const page = await readWhole(port, '/')
  const paths = [...page.text.matchAll(/"(assets\/[^"]+)"/g)].map(([, path = '']) => path)
  const sizes = [{ name: 'the page', bytes: page.bytes }]
  for (const path of paths) {
    const { bytes } = await readWhole(port, `/${path}`)
    sizes.push({ name: path.replace(/^assets\/(.+)-[\w-]{8}(\.\w+)$/, '`$1$2`'), bytes })
  }
  return sizes
}

function kilobytes(bytes: number): string {
  return figure(bytes / 1_000)
}

/** In a browser that was never here. */
async function openPage(browser: Browser, script: string): Promise<Page> {
  const context = await browser.newContext({ viewport: SCREEN })
  await context.addInitScript(script)
  return context.newPage()
}

async function firstLoad(browser: Browser, fleet: Fleet): Promise<Figures> {
  await fleet.refresh()
  const { page, figures } = await load(browser, fleet)
  await page.context().close()
  return figures
}

async function load(browser: Browser, { port, targets }: Fleet): Promise<{ page: Page; figures: Figures }> {
  const isWhole = textIs('.found', `${targets.toLocaleString('en')} targets`)
  const page = await openPage(
    browser,
    `${markWhen('rows', `document.querySelector('.line.target') !== null`)}; ${markWhen('whole', isWhole)}`,
  )
  const url = `http://127.0.0.1:${port}/`
  const trace = await traceOf(browser, page, async () => {
    await page.goto(url)
    await until(page, 'seen', isWhole)
  })
  const began = trace.loadBegan(url)
  const figures = new Map<Measured, number[]>([
    ['firstPaint', [trace.firstPaint() - began]],
    ['firstRows', [trace.painted('rows') - began]],
    ['wholeFleet', [trace.painted('whole') - began]],
  ])
  return { page, figures }
}

/** Searches, scrolls, sees a change and opens a target. */
async function use(browser: Browser, fleet: Fleet): Promise<Figures> {
  await fleet.refresh()
  const { page, figures } = await load(browser, fleet)
  const measured = new Map(figures)
  measured.set('keystroke', await typeAndFind(browser, page, fleet))
  const scrolled = await scroll(browser, page)
  const tasks = scrolled.mainThreadTasks('scrolled')
  measured.set('scrollTask', [Math.max(...tasks.map(({ cpuMs }) => cpuMs))])
  measured.set('scrollWall', [Math.max(...tasks.map(({ wallMs }) => wallMs))])
  measured.set('scrollFrame', [medianGap(scrolled.frames())])
  measured.set('change', [await change(browser, page, fleet)])
  measured.set('target', [await openTarget(browser, page)])
  await page.context().close()
  return measured
}

async function typeAndFind(browser: Browser, page: Page, { targets }: Fleet): Promise<number[]> {
  await page.getByRole('searchbox').focus()
  const waits: number[] = []
  for (let typed = 1; typed <= TYPED.length; typed++) {
    const [text, key] = [TYPED.slice(0, typed), TYPED[typed - 1] ?? '']
    const found = Array.from({ length: targets }, (_, n) => serverName(n)).filter((name) => name.includes(text)).length
    const words = `${found.toLocaleString('en')} of ${targets.toLocaleString('en')} targets`
    const trace = await traceOf(browser, page, async () => {
      const shown = await watchFor(page, 'found', textIs('.found', words))
      await page.keyboard.press(key)
      await shown()
    })
    waits.push(trace.painted('found') - trace.inputCame('keydown'))
  }
  await page.getByRole('searchbox').fill('')
  await until(page, 'all', textIs('.found', `${targets.toLocaleString('en')} targets`))
  return waits
}

/** Nothing is left of what was done before. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('new Promise((idle) => requestIdleCallback(idle))')
}

/** By the wheel, far and fast, where the browser itself makes the gesture. */
async function scroll(browser: Browser, page: Page): Promise<Trace> {
  await settle(page)
  const session = await page.context().newCDPSession(page)
  return traceOf(browser, page, async () => {
    await session.send('Input.synthesizeScrollGesture', {
      x: SCREEN.width / 2,
      y: SCREEN.height / 2,
      yDistance: -SCROLL.pixels,
      speed: SCROLL.pixelsPerSecond,
      gestureSourceType: 'mouse',
    })
    await until(page, 'scrolled', 'true')
  })
}

function medianGap(frames: readonly number[]): number {
  const gaps = frames.slice(1).map((at, before) => at - (frames[before] ?? 0))
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0
}

async function change(browser: Browser, page: Page, { port }: Fleet): Promise<number> {
  await page.evaluate('scrollTo(0, 0)')
  const file = 'changed-just-now.conf'
  let sentMs = 0
  const trace = await traceOf(browser, page, async () => {
    const shown = await watchFor(
      page,
      'changed',
      `document.querySelector('.line.target').textContent.includes('${file}')`,
    )
    sentMs = nowMs()
    await report(port, file)
    await shown()
  })
  return trace.painted('changed') - sentMs
}

async function report(port: number, name: string): Promise<void> {
  const body = {
    repo: REPO,
    server: serverName(0),
    sync_status: 'OUT_OF_SYNC',
    drift_count: 1,
    files: [{ name }],
    last_check: lastCheckOf('now', 0),
  }
  const response = await fetch(`http://127.0.0.1:${port}/api/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`The report was answered with ${response.status}: ${await response.text()}`)
}

async function openTarget(browser: Browser, page: Page): Promise<number> {
  const trace = await traceOf(browser, page, async () => {
    const shown = await watchFor(page, 'files', `document.querySelector('.target-page .file') !== null`)
    await page.locator('.line.target a').first().click()
    await shown()
  })
  return trace.painted('files') - trace.inputCame('mousedown')
}

/** Marks the moment in which something is so in the page, and waits until that is on the screen. */
async function until(page: Page, mark: string, condition: string): Promise<void> {
  const shown = await watchFor(page, mark, condition)
  await shown()
}

/** The same of something that is done next: who begins to watch after it may set the mark behind the frame. */
async function watchFor(page: Page, mark: string, condition: string): Promise<() => Promise<void>> {
  await page.evaluate(`void (globalThis.marked = ${markWhen(mark, condition)})`)
  return async () => {
    await page.evaluate('globalThis.marked')
    await onScreen(page)
  }
}

async function onScreen(page: Page): Promise<void> {
  // The frame after the mark, those behind it that push it through to the screen, and the time that takes.
  await page.evaluate(
    'new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(shown, 100))))',
  )
}

function textIs(selector: string, text: string): string {
  return `document.querySelector('${selector}')?.textContent === '${text}'`
}
