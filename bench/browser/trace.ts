import type { Browser, Page } from 'playwright-core'

/** An event of Chromium's trace. Its clock is the kernel's monotonic one, in microseconds, like `process.hrtime`. */
interface TraceEvent {
  readonly name: string
  readonly cat: string
  readonly ph: string
  readonly ts: number
  readonly dur?: number
  /** CPU that it has used, where that is known. */
  readonly tdur?: number
  readonly pid: number
  readonly tid: number
  readonly id2?: { readonly local?: string }
  readonly args: {
    readonly name?: string
    readonly data?: { readonly type?: string; readonly documentLoaderURL?: string }
  }
}

const CATEGORIES = [
  '-*',
  'blink.user_timing', // marks, and when a page began to load
  'loading', // first paint
  'devtools.timeline',
  'disabled-by-default-devtools.timeline', // tasks
  'disabled-by-default-devtools.timeline.frame', // frames, from the commit to the screen
]

/** What Chromium itself says that happened. Moments are in milliseconds of the kernel's monotonic clock. */
export interface Trace {
  /** When the page was asked for. */
  loadBegan(url: string): number
  firstPaint(): number
  /** When the newest event of this type came from the keyboard or the mouse, whether or not it was dealt with at once. */
  inputCame(type: string): number
  /** When the first frame came to the screen that was made after the page had set this mark. */
  painted(mark: string): number
  /** How much CPU each task took of the main thread of the page that set this mark, and how long it took in all. */
  mainThreadTasks(mark: string): readonly { readonly cpuMs: number; readonly wallMs: number }[]
  /** When frames came to the screen. */
  frames(): number[]
}

/** Traces what a page does while `act` runs. */
export async function traceOf(browser: Browser, page: Page, act: () => Promise<void>): Promise<Trace> {
  await browser.startTracing(page, { categories: CATEGORIES })
  try {
    await act()
  } catch (error) {
    await browser.stopTracing()
    throw error
  }
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  return readTrace(traceEvents)
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function readTrace(all: readonly TraceEvent[]): Trace {
  const events = all.toSorted((a, b) => a.ts - b.ts)

  function find(what: string, wanted: (event: TraceEvent) => boolean): TraceEvent {
    const event = events.find(wanted)
    if (event === undefined) throw new Error(`Chromium's trace has no ${what}`)
    return event
  }

  const findMark = (mark: string) =>
    find(`mark ${mark}`, ({ name, cat }) => name === mark && cat.includes('user_timing'))

  const isOnScreen = ({ name, ph }: TraceEvent) =>
    name === 'SubmitCompositorFrameToPresentationCompositorFrame' && ph === 'e'

  return {
    loadBegan: (url) =>
      find('begin of a load', (one) => one.name === 'navigationStart' && one.args.data?.documentLoaderURL === url).ts /
      1_000,
    firstPaint: () => find('first paint', ({ name }) => name === 'firstPaint').ts / 1_000,
    inputCame(type) {
      const came = events.findLast(
        ({ name, ph, args }) => name === 'EventTiming' && ph === 'b' && args.data?.type === type,
      )
      if (came === undefined) throw new Error(`Chromium's trace has no ${type}`)
      return came.ts / 1_000
    },
    painted(mark) {
      const set = findMark(mark)
      const made = find('frame after the mark', ({ name, ph, ts, pid }) => {
        return name === 'Commit' && ph === 'b' && pid === set.pid && ts >= set.ts
      })
      const shown = find('picture of the frame', (one) => {
        return isOnScreen(one) && one.pid === made.pid && one.id2?.local === made.id2?.local && one.ts >= made.ts
      })
      return shown.ts / 1_000
    },
    mainThreadTasks(mark) {
      const { pid, tid } = findMark(mark)
      return events
        .filter((one) => one.name === 'RunTask' && one.pid === pid && one.tid === tid)
        .map(({ dur = 0, tdur = dur }) => ({ cpuMs: tdur / 1_000, wallMs: dur / 1_000 }))
    },
    frames: () => events.filter(isOnScreen).map(({ ts }) => ts / 1_000),
  }
}

/**
 * A script that sets a mark as soon as something is so in the document. Resolves to the same when it runs in a page
 * that is there already.
 */
export function markWhen(mark: string, condition: string): string {
  return `new Promise((resolve) => {
    const look = () => {
      if (!(${condition})) return
      observer.disconnect()
      performance.mark(${JSON.stringify(mark)})
      resolve()
    }
    const observer = new MutationObserver(look)
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
    look()
  })`
}
