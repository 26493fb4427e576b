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
  const seriesByValues = new Map<string, Series<State>>()

  return {
    of(values) {
      // A line break ends each value, so that ("a b", "c") and ("a", "b c") are two.
      let key = ''
      for (const label of labels) key += `${values[label]}\n`
      let series = seriesByValues.get(key)
      if (series === undefined) {
        series = { labels: Object.fromEntries(labels.map((label) => [label, values[label]])), state: create() }
        seriesByValues.set(key, series)
      }
      return series.state
    },
    all() {
      const text = (series: Series<State>) => labelsOf(series.labels)
      return [...seriesByValues.values()].sort((a, b) => (text(a) < text(b) ? -1 : 1))
    },
  }
}
