import { labelsOf } from './exposition-format.ts'

/** A series' labels as they are written, and what is kept for it. */
export interface Series<State> {
  readonly labels: Readonly<Record<string, string>>
  readonly state: State
}

export interface LabelledSeries<Label extends string, State> {
  of(values: Readonly<Record<Label, string>>): State
  /** In the order of their labels: the same counts are written the same way, whatever was counted first. */
  all(): Series<State>[]
}

/**
 * One state for each combination of the labels' values, for good: no label may hold what a caller makes up, or the
 * memory of this process and of whoever reads it grows with every call.
 */
export function createLabelledSeries<const Label extends string, State>(
  labels: readonly Label[],
  create: () => State,
): LabelledSeries<Label, State> {
  const every: Series<State>[] = []
  const root: Branch<State> = { series: undefined, next: new Map() }

  return {
    of(values) {
      // Value by value: to join them for a key would cost several times as much, for each request.
      let branch = root
      for (const label of labels) branch = branchAt(branch, values[label])
      if (branch.series === undefined) {
        branch.series = { labels: Object.fromEntries(labels.map((label) => [label, values[label]])), state: create() }
        every.push(branch.series)
      }
      return branch.series.state
    },
    all() {
      const text = (series: Series<State>) => labelsOf(series.labels)
      return [...every].sort((a, b) => (text(a) < text(b) ? -1 : 1))
    },
  }
}

interface Branch<State> {
  series: Series<State> | undefined
  readonly next: Map<string, Branch<State>>
}

function branchAt<State>(branch: Branch<State>, value: string): Branch<State> {
  let found = branch.next.get(value)
  if (found === undefined) {
    found = { series: undefined, next: new Map() }
    branch.next.set(value, found)
  }
  return found
}
