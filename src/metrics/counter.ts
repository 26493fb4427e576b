import { formatNumber, headOf, labelsOf, type Metric } from './exposition-format.ts'
import { createLabelledSeries } from './labelled-series.ts'

export interface Counter<Label extends string> extends Metric {
  count(values: Readonly<Record<Label, string>>, by?: number): void
}

/**
 * What only ever grows. Count what can happen with 0 at the start: a series that begins with its first error has no
 * increase, and the rule that waits for one stays silent.
 */
export function createCounter<const Label extends string>(about: {
  readonly name: `${string}_total`
  readonly help: string
  readonly labels: readonly Label[]
}): Counter<Label> {
  const { name, labels } = about
  const series = createLabelledSeries(labels, () => ({ total: 0 }))

  return {
    count(values, by = 1) {
      series.of(values).total += by
    },
    write(format) {
      const lines = series.all().map(({ labels, state }) => `${name}${labelsOf(labels)} ${formatNumber(state.total)}\n`)
      return headOf({ ...about, type: 'counter' }, format) + lines.join('')
    },
  }
}
