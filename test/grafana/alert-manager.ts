import { askInfinity, type InfinityQuery, type PluginFrame } from './infinity-plugin.ts'

// What Grafana's alerting does with a provisioned rule that looks at one query by one threshold, as its source says.

export interface Rule {
  readonly title: string
  readonly condition: string
  readonly data: readonly { readonly refId: string; readonly datasourceUid: string; readonly model: unknown }[]
  readonly for: string
  readonly noDataState: string
  readonly execErrState: string
  readonly annotations: Readonly<Record<string, string>>
}

interface Threshold {
  readonly type: string
  readonly expression: string
  readonly conditions: readonly { readonly evaluator: { readonly type: string; readonly params: readonly number[] } }[]
}

/** One alert: what it is called by, and since when its condition holds. */
interface Instance {
  readonly labels: Readonly<Record<string, string>>
  readonly pendingSince: number
  firing: boolean
}

export interface Alerting {
  /** Looks once. */
  evaluate(now: number): Promise<void>
  /** What fires, as a person is told: its summary. */
  firing(): string[]
}

export function createAlerting(url: string, rules: readonly Rule[]): Alerting {
  const states = rules.map((rule) => ({ rule, instances: new Map<string, Instance>() }))
  return {
    async evaluate(now) {
      for (const { rule, instances } of states) await evaluate(rule, instances, now)
    },
    firing: () =>
      states.flatMap(({ rule, instances }) =>
        [...instances.values()]
          .filter(({ firing }) => firing)
          .map(({ labels }) => filledIn(rule.annotations.summary ?? '', labels)),
      ),
  }

  async function evaluate(rule: Rule, instances: Map<string, Instance>, now: number): Promise<void> {
    const { query, threshold } = partsOf(rule)
    let holding: readonly Readonly<Record<string, string>>[]
    try {
      const frame = await askInfinity(url, query, { from: now - 600_000, to: now })
      const rows = numbersIn(frame)
      const nobody = rule.noDataState === 'Alerting' ? [{}] : []
      holding = rows === null ? nobody : rows.filter(({ value }) => holds(threshold, value)).map(({ labels }) => labels)
    } catch {
      if (rule.execErrState === 'KeepLast') {
        age(instances, rule, now)
        return
      }
      holding = [{}]
    }
    const keys = new Set(holding.map((labels) => JSON.stringify(labels)))
    for (const key of instances.keys()) if (!keys.has(key)) instances.delete(key)
    for (const labels of holding) {
      const key = JSON.stringify(labels)
      if (!instances.has(key)) instances.set(key, { labels, pendingSince: now, firing: false })
    }
    age(instances, rule, now)
  }
}

function age(instances: Map<string, Instance>, rule: Rule, now: number): void {
  for (const instance of instances.values())
    instance.firing ||= now - instance.pendingSince >= minutesIn(rule.for) * 60_000
}

function minutesIn(text: string): number {
  const [, minutes] = /^(\d+)m$/.exec(text) ?? []
  if (minutes === undefined) throw new Error(`Nobody has looked at ${text}`)
  return Number(minutes)
}

function partsOf({ condition, data }: Rule): { query: InfinityQuery; threshold: Threshold } {
  const [query, threshold, ...others] = data
  const isPlain =
    others.length === 0 &&
    query?.datasourceUid === 'gitops-status' &&
    threshold?.datasourceUid === '__expr__' &&
    condition === threshold.refId
  if (!isPlain) throw new Error('Only one query and one threshold on it are looked into')
  const expression = threshold.model as Threshold
  if (expression.type !== 'threshold' || expression.expression !== query.refId) throw new Error('Not a threshold on it')
  return { query: query.model as InfinityQuery, threshold: expression }
}

/**
 * The frame as numbers with labels: every text is a label, and there may be one number only. Null: no data.
 *
 * Two rows with the same labels are an error there, and here.
 */
function numbersIn({ fields }: PluginFrame): { labels: Record<string, string>; value: number }[] | null {
  const numbers = fields.filter(({ type }) => type === 'number')
  const texts = fields.filter(({ type }) => type === 'string')
  const [only, ...others] = numbers
  if (fields.length === 0) return null
  if (only === undefined || others.length > 0) throw new Error(`${numbers.length} numbers in a row`)
  if (only.values.length > 1 && texts.length === 0) throw new Error('Nothing tells the rows apart')
  const seen = new Set<string>()
  return only.values.map((value, row) => {
    const labels = Object.fromEntries(texts.map(({ name, values }) => [name, String(values[row] ?? '')]))
    const key = JSON.stringify(labels)
    if (seen.has(key)) throw new Error(`Two rows are called ${key}`)
    seen.add(key)
    if (typeof value !== 'number') throw new Error(`No number for ${key}`)
    return { labels, value }
  })
}

function holds({ conditions }: Threshold, value: number): boolean {
  const [only] = conditions
  const [than = 0] = only?.evaluator.params ?? []
  switch (only?.evaluator.type) {
    case 'gt':
      return value > than
    case 'lt':
      return value < than
    default:
      throw new Error(`Nobody has looked at ${only?.evaluator.type}`)
  }
}

function filledIn(template: string, labels: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '[no value]')
}
