import { readdirSync, readFileSync } from 'node:fs'

/** CPU of a process and of all below it that are alive, in milliseconds: exact, where the usual counters tick by 10. */
export function liveCpuMs(pid: number): number {
  return familyOf(pid).reduce((sum, one) => sum + threadsOf(one).reduce((all, thread) => all + schedMs(thread), 0), 0)
}

/** The same with those that have ended and were waited for. */
export function wholeCpuMs(pid: number): number {
  return familyOf(pid).reduce((sum, one) => sum + ticksOf(one) * 10, 0)
}

/** Memory that a process and all below it need, what they share counted once. */
export function memoryMB(pid: number): number {
  const kilobytes = familyOf(pid).map((one) =>
    Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${one}/smaps_rollup`))?.[1] ?? 0),
  )
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1_024
}

/** How many processes it and all below it are. */
export function processCount(pid: number): number {
  return familyOf(pid).length
}

function familyOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    readOr(`${thread}/children`).split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(familyOf)]
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`)
  } catch {
    return [] // ended meanwhile
  }
}

function schedMs(thread: string): number {
  return Number(readOr(`${thread}/schedstat`).split(' ')[0]) / 1e6
}

// Its own and its children's, of user and system.
function ticksOf(pid: number): number {
  const text = readOr(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0)
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // ended meanwhile
  }
}
