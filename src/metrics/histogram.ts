import { headOf, labelsOf, type Metric } from './exposition-format.ts'
import { createLabelledSeries } from './labelled-series.ts'

export interface Histogram<Label extends string> extends Metric {
  observe(values: Readonly<Record<Label, string>>, value: number): void
}

interface Observed {
  /** How many fell between a bound and the one before it; the last is beyond all bounds. */
  readonly buckets: number[]
  sum: number
}

/** How values are spread. A sum or a quantile of several servers comes out right, which an average of quantiles does not. */
export function createHistogram<const Label extends string>(about: {
  readonly name: string
  readonly help: string
  readonly labels: readonly Label[]
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[]
}): Histogram<Label> {
  const { name, labels, bounds } = about
  const series = createLabelledSeries(labels, (): Observed => ({ buckets: Array(bounds.length + 1).fill(0), sum: 0 }))
  const edges = [...bounds.map(formatBound), '+Inf']
  // Nothing distinguishes it from others: it is there from the start.
  if (labels.length === 0) series.of({} as Record<Label, string>)

  return {
    observe(values, value) {
      const observed = series.of(values)
      let index = 0
      while (index < bounds.length && value > (bounds[index] ?? 0)) index++
      observed.buckets[index] = (observed.buckets[index] ?? 0) + 1
      observed.sum += value
    },
    write(format) {
      const lines = series.all().flatMap(({ labels, state }) => {
        let upTo = 0
        const buckets = edges.map((le, index) => {
          upTo += state.buckets[index] ?? 0
          return `${name}_bucket${labelsOf({ ...labels, le })} ${upTo}\n`
        })
        return [
          ...buckets,
          `${name}_sum${labelsOf(labels)} ${state.sum}\n`,
          `${name}_count${labelsOf(labels)} ${upTo}\n`,
        ]
      })
      return headOf({ ...about, type: 'histogram' }, format) + lines.join('')
    },
  }
}

// OpenMetrics wants "1.0" and the other format does not mind. With "1" in one of them, a Prometheus that changes from
// one format to the other would begin all series anew.
function formatBound(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound)
}
